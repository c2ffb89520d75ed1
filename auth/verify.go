package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"spacecloud/fault"
)

// skew is how far the clocks of others may be from ours.
const skew = 60 * time.Second

// Config says which tokens are good, and what of them becomes claims.
type Config struct {
	// Keys are what tokens may be signed with. Without any, every token is refused.
	Keys []Key
	// Claims name claims by their path in the token: {"role": "app_metadata.role"}. A claim
	// that is not named keeps its own name; "id" is "sub" unless it is named.
	Claims map[string]string
	// MaxToken is the size of the largest token, in bytes. Defaults to 16 KiB.
	MaxToken int
	// Cached is how many verified tokens are remembered. Defaults to 10,000.
	Cached int
	// Proxies are the addresses whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.MaxToken == 0 {
		c.MaxToken = 16 << 10
	}
	if c.Cached == 0 {
		c.Cached = 10_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	for i, k := range c.Keys {
		if err := k.validate(); err != nil {
			errs = append(errs, fmt.Errorf("auth.keys[%d]: %w", i, err))
		}
	}
	for name, path := range c.Claims {
		if name == "" || path == "" {
			errs = append(errs, fmt.Errorf("auth.claims: %q: %q names nothing", name, path))
		}
	}
	return errors.Join(errs...)
}

// Token is what a good token says. It is shared by requests and not to be changed.
type Token struct {
	Claims  map[string]any // after mapping
	Expires time.Time      // zero for a token that does not
}

// Verifier tells good tokens from bad. It may be used by many goroutines.
type Verifier struct {
	config  Config
	parsers []*jwt.Parser // by key
	good    *lru.Cache[[sha256.Size]byte, *Token]
}

// New is a verifier of a configuration; the error says all that is wrong with it.
func New(c Config) (*Verifier, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	good, err := lru.New[[sha256.Size]byte, *Token](c.Cached)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	v := &Verifier{config: c, good: good}
	for _, k := range c.Keys {
		v.parsers = append(v.parsers, newParser(k, c.Now))
	}
	return v, nil
}

// newParser pins the key's algorithm: a token that names another is not even looked at.
func newParser(k Key, now func() time.Time) *jwt.Parser {
	options := []jwt.ParserOption{
		jwt.WithValidMethods([]string{k.Alg}),
		jwt.WithLeeway(skew),
		jwt.WithTimeFunc(now),
		jwt.WithStrictDecoding(),
	}
	if k.Issuer != "" {
		options = append(options, jwt.WithIssuer(k.Issuer))
	}
	if k.Audience != "" {
		options = append(options, jwt.WithAudience(k.Audience))
	}
	return jwt.NewParser(options...)
}

// Verify is what a token says; the error is a fault.Unauthenticated whose cause is for the
// log only. The context is for keys that have to be fetched.
func (v *Verifier) Verify(_ context.Context, token string) (*Token, error) {
	if len(token) > v.config.MaxToken {
		return nil, invalid(fmt.Errorf("the token has %d bytes, more than %d", len(token), v.config.MaxToken))
	}
	hash := sha256.Sum256([]byte(token))
	if t, ok := v.good.Get(hash); ok {
		if v.alive(t) {
			return t, nil
		}
		v.good.Remove(hash)
	}
	t, err := v.parse(token)
	if err != nil {
		return nil, invalid(err)
	}
	v.good.Add(hash, t)
	return t, nil
}

func (v *Verifier) alive(t *Token) bool {
	return t.Expires.IsZero() || v.config.Now().Before(t.Expires.Add(skew))
}

// parse tries the keys in their order. Of their refusals, that a good token has expired says
// the most.
func (v *Verifier) parse(token string) (*Token, error) {
	refusal := errors.New("no key for this token")
	for i, k := range v.config.Keys {
		t, err := v.parseWith(v.parsers[i], k, token)
		if err == nil {
			return t, nil
		}
		if !errors.Is(refusal, jwt.ErrTokenExpired) {
			refusal = err
		}
	}
	return nil, refusal
}

func (v *Verifier) parseWith(p *jwt.Parser, k Key, token string) (*Token, error) {
	claims := jwt.MapClaims{}
	_, err := p.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		if !k.signs(t.Header["kid"]) {
			return nil, errors.New("another key's kid")
		}
		return k.Secret, nil
	})
	if err != nil {
		return nil, err
	}
	return v.read(claims)
}

// read is a verified token as the rest of us see it.
func (v *Verifier) read(claims jwt.MapClaims) (*Token, error) {
	t := &Token{}
	expires, err := claims.GetExpirationTime()
	if err != nil {
		return nil, err
	}
	if expires != nil {
		t.Expires = expires.Time
	}
	if _, err := claims.GetSubject(); err != nil {
		return nil, err
	}
	t.Claims = mapped(claims, v.config.Claims)
	return t, nil
}

func invalid(cause error) error {
	if errors.Is(cause, jwt.ErrTokenExpired) {
		return fault.Wrap(fault.Unauthenticated, cause, "the token has expired")
	}
	return fault.Wrap(fault.Unauthenticated, cause, "the token is not valid")
}
