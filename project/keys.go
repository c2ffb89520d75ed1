package project

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"spacecloud/auth"
	"spacecloud/config"
	"spacecloud/fault"
)

// newVerifier believes the keys of the settings, or in development our own.
func newVerifier(c config.Config) (*auth.Verifier, error) {
	keys, err := Keys(c)
	if err != nil {
		return nil, err
	}
	return auth.New(auth.Config{Keys: keys, Claims: c.Auth.Claims})
}

// Keys are the keys that tokens may be signed with: those of the settings, and in
// development without any the one in the data folder, which is made when it is asked for
// first. There is no default secret.
func Keys(c config.Config) ([]auth.Key, error) {
	var keys []auth.Key
	for _, k := range c.Auth.Keys {
		keys = append(keys, auth.Key{Alg: k.Alg, ID: k.ID, Secret: []byte(k.Secret), Issuer: k.Issuer, Audience: k.Audience})
	}
	if len(keys) > 0 || c.Production {
		return keys, nil
	}
	if err := makeFolder(c.Data); err != nil {
		return nil, err
	}
	secret, err := developmentKey(filepath.Join(c.Data, "signing.key"))
	if err != nil {
		return nil, err
	}
	return []auth.Key{{Alg: "HS256", Secret: secret}}, nil
}

// keyBytes is the length of a key: that of its hash.
const keyBytes = 32

func developmentKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(file)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "the signing key %s cannot be read: %v; allow it, or delete the file for a new one", file, cause(err))
	}
	secret, err := base64.RawStdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) < keyBytes {
		return nil, fault.New(fault.Invalid, "the signing key %s is damaged; delete the file for a new one (tokens that were made with it are then void)", file)
	}
	return secret, nil
}

// makeKey writes a new key. Of two processes that start at once the first to write wins, and
// the other one reads.
func makeKey(file string) ([]byte, error) {
	secret := make([]byte, keyBytes)
	_, _ = rand.Read(secret)                                     // never fails
	made, err := os.CreateTemp(filepath.Dir(file), ".signing-*") // with mode 0600
	if err != nil {
		return nil, fault.New(fault.Invalid, "a signing key cannot be made in %s: %v", filepath.Dir(file), cause(err))
	}
	defer os.Remove(made.Name())
	_, err = made.WriteString(base64.RawStdEncoding.EncodeToString(secret) + "\n")
	if err = errors.Join(err, made.Close()); err != nil {
		return nil, fault.New(fault.Invalid, "the signing key %s cannot be written: %v", file, err)
	}
	if err := os.Link(made.Name(), file); errors.Is(err, fs.ErrExist) {
		return developmentKey(file)
	} else if err != nil {
		return nil, fault.New(fault.Invalid, "the signing key %s cannot be written: %v", file, cause(err))
	}
	return secret, nil
}
