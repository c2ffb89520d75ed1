package auth

import (
	"fmt"

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
	// Issuer is what "iss" has to be, or "" for any.
	Issuer string
	// Audience is what "aud" has to hold, or "" for any.
	Audience string
}

// algorithm is how tokens of one "alg" are signed, and what makes a good key.
type algorithm struct {
	method  jwt.SigningMethod
	minimum int // bytes of a shared secret
}

// algorithms are what we know. "none" is not among them.
var algorithms = map[string]algorithm{
	"HS256": {jwt.SigningMethodHS256, 32},
}

func (k Key) validate() error {
	a, ok := algorithms[k.Alg]
	if !ok {
		return fmt.Errorf("unknown algorithm %q; HS256 is served", k.Alg)
	}
	if len(k.Secret) < a.minimum {
		return fmt.Errorf("the secret of a %s key needs at least %d bytes and has %d", k.Alg, a.minimum, len(k.Secret))
	}
	return nil
}

// signs is whether the key may have signed a token of that kid.
func (k Key) signs(kid any) bool {
	return k.ID == "" || kid == nil || kid == k.ID
}
