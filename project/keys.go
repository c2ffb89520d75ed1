package project

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"spacecloud/auth"
	"spacecloud/config"
	"spacecloud/fault"
)

// newVerifier believes the keys of the settings, or in development our own.
func newVerifier(c config.Config, log *slog.Logger) (*auth.Verifier, error) {
	a, err := Auth(c)
	if err != nil {
		return nil, err
	}
	if a.Keys, err = keysOrOwn(c, a); err != nil {
		return nil, err
	}
	a.Log = log
	return auth.New(a)
}

// Auth is what the settings say about tokens. The error is config.Problems: each key that is
// none.
func Auth(c config.Config) (auth.Config, error) {
	a := auth.Config{Claims: c.Auth.Claims, Cookie: c.Auth.Cookie.Name}
	var problems config.Problems
	for i, k := range c.Auth.Keys {
		if k.JWKS != "" {
			a.Issuers = append(a.Issuers, auth.Issuer{JWKS: string(k.JWKS), Algs: k.Algs, Issuer: k.Issuer, Audience: k.Audience})
			continue
		}
		key, part, err := keyOf(k)
		if err != nil {
			at := fmt.Sprintf("auth.keys.%d.%s", i, part)
			problems = append(problems, config.Problem{Place: c.Place(at), Text: at + ": " + err.Error()})
			continue
		}
		a.Keys = append(a.Keys, key)
	}
	for _, text := range c.Proxies {
		if network, err := config.ParseNetwork(text); err == nil { // else it was not validated
			a.Proxies = append(a.Proxies, network)
		}
	}
	if len(problems) > 0 {
		return auth.Config{}, problems
	}
	return a, nil
}

// keyOf is a key of the settings, or which part of it is wrong.
func keyOf(k config.Key) (key auth.Key, part string, err error) {
	switch {
	case k.JWK != "":
		part = "jwk"
		if key, err = auth.ParseJWK(string(k.JWK), k.Alg); err == nil && k.ID != "" && key.ID != "" && key.ID != k.ID {
			err = fmt.Errorf("has the kid %q, and the entry the id %q", key.ID, k.ID)
		}
		k.Alg, k.ID = key.Alg, cmp.Or(k.ID, key.ID)
	case k.Public != "":
		part = "public"
		key.Public, err = auth.ParsePEM(string(k.Public))
	default:
		part = "secret"
		key.Secret = []byte(k.Secret)
	}
	if err != nil {
		return auth.Key{}, part, err
	}
	key.Alg, key.ID, key.Issuer, key.Audience = k.Alg, k.ID, k.Issuer, k.Audience
	return key, part, key.Validate()
}

// SigningKey is the key that tokens are minted with: the first of the settings that can sign, in
// development without any keys the one in the data folder.
func SigningKey(c config.Config) (auth.Key, error) {
	a, err := Auth(c)
	if err != nil {
		return auth.Key{}, err
	}
	keys, err := keysOrOwn(c, a)
	if err != nil {
		return auth.Key{}, err
	}
	for _, k := range keys {
		if k.CanSign() {
			return k, nil
		}
	}
	if len(c.Auth.Keys) > 0 {
		return auth.Key{}, fault.New(fault.Invalid, "none of auth.keys can sign: public keys only verify, and the issuer has the private ones; "+
			"let the issuer make the token, or add a key {alg: HS256, secret: …} where you develop")
	}
	return auth.Key{}, fault.New(fault.Invalid, "there is no key to sign with; set auth.keys with an HS256 secret")
}

// keysOrOwn are the keys of the settings, and in development without any the one in the data
// folder, which is made when it is asked for first. There is no default secret.
func keysOrOwn(c config.Config, a auth.Config) ([]auth.Key, error) {
	if len(c.Auth.Keys) > 0 || c.Production {
		return a.Keys, nil
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
