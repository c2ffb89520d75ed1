package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// ParsePEM is the public key of a PEM block: PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE.
func ParsePEM(text string) (crypto.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return nil, errors.New("is no PEM; a public key begins with -----BEGIN PUBLIC KEY-----")
	case strings.Contains(block.Type, "PRIVATE KEY"):
		return nil, errors.New("is a private key, which a server that verifies must not have; give it the public one")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("holds more than one PEM block; give each key an entry of its own")
	}
	var public crypto.PublicKey
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = c.PublicKey
		}
	default:
		return nil, fmt.Errorf("is a PEM block of %q, not of PUBLIC KEY", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	return public, nil
}

// ParseJWK is a key of RFC 7517: a secret or a public key, for the algorithm alg, or its own
// where that is "".
func ParseJWK(text, alg string) (Key, error) {
	var j jwk
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return Key{}, fmt.Errorf("is no JWK: %w", unquoted(err))
	}
	if alg != "" && j.Alg != "" && j.Alg != alg {
		return Key{}, fmt.Errorf("is for the algorithm %.40q, not for %s", j.Alg, alg)
	}
	if alg != "" {
		return j.key([]string{alg})
	}
	if j.Alg == "" {
		return Key{}, errors.New("does not name its algorithm; say it as alg")
	}
	return j.key([]string{j.Alg})
}

// unquoted is an error of encoding/json without the text that it is about, which may be secret.
func unquoted(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is of a wrong type", wrong.Field)
	}
	return errors.New("it is not a JSON object")
}

// jwk is a key of RFC 7517, as far as we read it.
type jwk struct {
	Type       string   `json:"kty"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Alg        string   `json:"alg"`
	ID         string   `json:"kid"`

	Curve string `json:"crv"`
	X     string `json:"x"`
	Y     string `json:"y"`
	N     string `json:"n"`
	E     string `json:"e"`
	K     string `json:"k"`

	Private json.RawMessage `json:"d"`
}

// key is the key for one of algs: the one that it names, else the first that it is good for.
func (j jwk) key(algs []string) (Key, error) {
	switch {
	case j.Private != nil:
		return Key{}, errors.New("is a private key; only its public part is wanted")
	case j.Use != "" && j.Use != "sig":
		return Key{}, fmt.Errorf("is for %.40q, not for signatures", j.Use)
	case j.Operations != nil && !slices.Contains(j.Operations, "verify"):
		return Key{}, errors.New("is not for verifying")
	case j.Alg != "" && !slices.Contains(algs, j.Alg):
		return Key{}, fmt.Errorf("is for the algorithm %.40q, which is not wanted", j.Alg)
	case j.Alg != "":
		algs = []string{j.Alg}
	}
	k := Key{ID: j.ID}
	if err := j.material(&k); err != nil {
		return Key{}, err
	}
	var refusal error
	for _, k.Alg = range algs {
		err := k.Validate()
		if err == nil {
			return k, nil
		}
		if refusal == nil {
			refusal = err
		}
	}
	return Key{}, refusal
}

// material puts the secret or the public key into k.
func (j jwk) material(k *Key) (err error) {
	switch j.Type {
	case "oct":
		k.Secret, err = unbase64(j.K)
	case "RSA":
		k.Public, err = j.rsa()
	case "EC":
		k.Public, err = j.ec()
	case "OKP":
		k.Public, err = j.okp()
	default:
		err = fmt.Errorf("is of an unknown kind, %.40q", j.Type)
	}
	return err
}

func (j jwk) rsa() (crypto.PublicKey, error) {
	n, errN := unbase64(j.N)
	e, errE := unbase64(j.E)
	if err := errors.Join(errN, errE); err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 || len(n) > 2*maxRSA/8 {
		return nil, errors.New("is larger than any RSA key")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

func (j jwk) ec() (crypto.PublicKey, error) {
	curve, ok := curves[j.Curve]
	if !ok {
		return nil, fmt.Errorf("is on an unknown curve, %.40q", j.Curve)
	}
	x, errX := unbase64(j.X)
	y, errY := unbase64(j.Y)
	if err := errors.Join(errX, errY); err != nil {
		return nil, err
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, errors.New("has coordinates of another length than its curve's")
	}
	const uncompressed = 4
	public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{uncompressed}, x, y))
	if err != nil {
		return nil, errors.New("is no point on its curve")
	}
	return public, nil
}

func (j jwk) okp() (crypto.PublicKey, error) {
	if j.Curve != "Ed25519" {
		return nil, fmt.Errorf("is on an unknown curve, %.40q", j.Curve)
	}
	x, err := unbase64(j.X)
	return ed25519.PublicKey(x), err
}

func unbase64(text string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) == 0 {
		return nil, errors.New("lacks a part, or one is not base64url")
	}
	return b, nil
}
