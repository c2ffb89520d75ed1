package auth

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// claims are those of one token. Unlike those of package jwt, a date of 0 is a date, and each
// registered claim that is there has the type that it is registered with.
type claims map[string]any

var _ jwt.ClaimsValidator = claims(nil)

// Validate looks at what is not looked at otherwise.
func (c claims) Validate() error {
	for _, name := range []string{"iss", "sub", "jti"} {
		if _, err := c.text(name); err != nil {
			return err
		}
	}
	if _, err := c.date("iat"); err != nil {
		return err
	}
	_, err := c.GetAudience()
	return err
}

// GetExpirationTime implements jwt.Claims.
func (c claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.date("exp") }

// GetNotBefore implements jwt.Claims.
func (c claims) GetNotBefore() (*jwt.NumericDate, error) { return c.date("nbf") }

// GetIssuedAt implements jwt.Claims.
func (c claims) GetIssuedAt() (*jwt.NumericDate, error) { return c.date("iat") }

// GetIssuer implements jwt.Claims.
func (c claims) GetIssuer() (string, error) { return c.text("iss") }

// GetSubject implements jwt.Claims.
func (c claims) GetSubject() (string, error) { return c.text("sub") }

// GetAudience implements jwt.Claims: one, or a list.
func (c claims) GetAudience() (jwt.ClaimStrings, error) {
	switch aud := c["aud"].(type) {
	case nil:
		if _, null := c["aud"]; null {
			return nil, c.wrong("aud")
		}
		return nil, nil
	case string:
		return jwt.ClaimStrings{aud}, nil
	case []any:
		all := make(jwt.ClaimStrings, len(aud))
		for i, each := range aud {
			var ok bool
			if all[i], ok = each.(string); !ok {
				return nil, c.wrong("aud")
			}
		}
		return all, nil
	}
	return nil, c.wrong("aud")
}

// lastDate is the end of the year 9999, in seconds. Nobody means a later one.
const lastDate = 253402300799

// date is the date of a name, nil where it is not there.
func (c claims) date(name string) (*jwt.NumericDate, error) {
	v, has := c[name]
	if !has {
		return nil, nil
	}
	seconds, ok := v.(float64)
	if !ok || seconds < 0 || seconds > lastDate {
		return nil, c.wrong(name)
	}
	return jwt.NewNumericDate(time.Unix(int64(seconds), 0)), nil
}

// text is the text of a name, "" where it is not there.
func (c claims) text(name string) (string, error) {
	v, has := c[name]
	if text, ok := v.(string); ok || !has {
		return text, nil
	}
	return "", c.wrong(name)
}

func (claims) wrong(name string) error {
	return fmt.Errorf("%w: %s", jwt.ErrInvalidType, name)
}

// Claimed is the caller that a token of these claims makes, under the names of Config.Claims. It is for
// tools that ask on somebody's behalf: nothing vouches for the claims.
func Claimed(token map[string]any, names map[string]string, now time.Time) *Caller {
	return &Caller{Claims: mapped(token, names), SignedIn: true, Now: now}
}

// mapped are a token's claims under the names of the configuration. A named claim that the
// token lacks is absent, also where the token has another of that name: a rule must not read
// what the configuration meant to replace.
func mapped(token map[string]any, names map[string]string) map[string]any {
	claims := maps.Clone(token)
	if _, named := names["id"]; !named {
		if sub, ok := token["sub"]; ok {
			claims["id"] = sub
		}
	}
	for name, path := range names {
		if v, ok := lookup(token, path); ok {
			claims[name] = v
		} else {
			delete(claims, name)
		}
	}
	return claims
}

// lookup follows a path of names joined by dots. A claim whose own name has dots, as the
// URLs of some issuers, is found by all of it.
func lookup(object map[string]any, path string) (any, bool) {
	if v, ok := object[path]; ok {
		return v, true
	}
	for i := range path {
		if path[i] != '.' {
			continue
		}
		if inner, ok := object[path[:i]].(map[string]any); ok {
			return lookup(inner, path[i+1:])
		}
	}
	return nil, false
}

// bearer is the token of an Authorization header.
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	return token, ok && token != "" && strings.EqualFold(scheme, "Bearer")
}
