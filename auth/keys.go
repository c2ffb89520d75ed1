package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Key is one key that tokens may be signed with. It is good for one algorithm only.
type Key struct {
	// Alg is the algorithm, "HS256". Required.
	Alg string
	// ID is the "kid" of the tokens that it signs; "" for tokens of any kid.
	ID string
	// Secret is the shared secret of an HS algorithm, at least as long as the hash.
	Secret []byte
	// Public is the public key of any other: an *rsa.PublicKey, an *ecdsa.PublicKey or an
	// ed25519.PublicKey.
	Public crypto.PublicKey
	// Issuer is what "iss" has to be, or "" for any.
	Issuer string
	// Audience is what "aud" has to hold, or "" for any.
	Audience string
}

// algorithm is how tokens of one "alg" are signed, and what makes a good key.
type algorithm struct {
	name   string
	method jwt.SigningMethod
	check  func(Key) error
}

// algorithms are what we know, "none" not among them. Where a published key does not say its
// algorithm, the first that it is good for is meant.
var algorithms = []algorithm{
	{"HS256", jwt.SigningMethodHS256, secretOf(32)},
	{"HS384", jwt.SigningMethodHS384, secretOf(48)},
	{"HS512", jwt.SigningMethodHS512, secretOf(64)},
	{"RS256", jwt.SigningMethodRS256, checkRSA},
	{"RS384", jwt.SigningMethodRS384, checkRSA},
	{"RS512", jwt.SigningMethodRS512, checkRSA},
	{"PS256", jwt.SigningMethodPS256, checkRSA},
	{"PS384", jwt.SigningMethodPS384, checkRSA},
	{"PS512", jwt.SigningMethodPS512, checkRSA},
	{"ES256", jwt.SigningMethodES256, pointOn(elliptic.P256())},
	{"ES384", jwt.SigningMethodES384, pointOn(elliptic.P384())},
	{"ES512", jwt.SigningMethodES512, pointOn(elliptic.P521())},
	{"EdDSA", jwt.SigningMethodEdDSA, checkEd25519},
}

// Public are the algorithms whose keys may be published.
func Public() []string {
	var names []string
	for _, a := range algorithms {
		if !strings.HasPrefix(a.name, "HS") {
			names = append(names, a.name)
		}
	}
	return names
}

func algorithmOf(name string) (algorithm, bool) {
	i := slices.IndexFunc(algorithms, func(a algorithm) bool { return a.name == name })
	if i < 0 {
		return algorithm{}, false
	}
	return algorithms[i], true
}

// Validate is whether the key is one for its algorithm, and strong enough.
func (k Key) Validate() error {
	a, ok := algorithmOf(k.Alg)
	if !ok {
		return fmt.Errorf("unknown algorithm %q", k.Alg)
	}
	return a.check(k)
}

func secretOf(least int) func(Key) error {
	return func(k Key) error {
		switch {
		case k.Public != nil:
			return fmt.Errorf("%s signs with a secret, and this is a public key", k.Alg)
		// Whoever knows the public key could sign.
		case bytes.Contains(k.Secret, []byte("-----BEGIN")):
			return fmt.Errorf("the secret of a %s key cannot be a key in PEM", k.Alg)
		case len(k.Secret) < least:
			return fmt.Errorf("the secret of a %s key needs at least %d bytes and has %d", k.Alg, least, len(k.Secret))
		}
		return nil
	}
}

// The sizes of RSA keys: smaller ones can be broken, and larger ones take long to verify with.
const minRSA, maxRSA = 2048, 8192

func checkRSA(k Key) error {
	public, ok := k.Public.(*rsa.PublicKey)
	switch {
	case !ok:
		return k.unfit("an RSA key")
	case public.N.BitLen() < minRSA || public.N.BitLen() > maxRSA:
		return fmt.Errorf("the RSA key has %d bits; they have to be %d to %d", public.N.BitLen(), minRSA, maxRSA)
	case public.E < 3 || public.E%2 == 0:
		return errors.New("the exponent of the RSA key is not odd, or too small")
	}
	return nil
}

func pointOn(curve elliptic.Curve) func(Key) error {
	return func(k Key) error {
		if public, ok := k.Public.(*ecdsa.PublicKey); !ok || public.Curve != curve {
			return k.unfit("a key on the curve " + curve.Params().Name)
		}
		return nil
	}
}

func checkEd25519(k Key) error {
	if public, ok := k.Public.(ed25519.PublicKey); !ok || len(public) != ed25519.PublicKeySize {
		return k.unfit("an Ed25519 key")
	}
	return nil
}

// unfit says that the algorithm needs another kind of key.
func (k Key) unfit(needs string) error {
	has := "a secret"
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		has = "an RSA key"
	case *ecdsa.PublicKey:
		has = "a key on the curve " + public.Params().Name
	case ed25519.PublicKey:
		has = "an Ed25519 key"
	}
	return fmt.Errorf("%s needs %s, and this is %s", k.Alg, needs, has)
}

// CanSign is whether tokens can be minted with the key.
func (k Key) CanSign() bool { return len(k.Secret) > 0 }

// fits is whether the key may have signed the token.
func (k Key) fits(t *parts) bool {
	return k.Alg == t.alg && (k.ID == "" || t.kid == "" || k.ID == t.kid)
}

// verify is whether it did.
func (k Key) verify(t *parts) error {
	a, _ := algorithmOf(k.Alg)
	var material any = k.Public
	if k.Public == nil {
		material = k.Secret
	}
	return a.method.Verify(t.signed, t.signature, material)
}

// same is whether two keys are one.
func (k Key) same(other Key) bool {
	public, ok := k.Public.(interface {
		Equal(other crypto.PublicKey) bool
	})
	return ok && k.Alg == other.Alg && k.ID == other.ID && public.Equal(other.Public)
}
