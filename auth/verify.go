package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"spacecloud/fault"
)

// skew is how far the clocks of others may be from ours.
const skew = 60 * time.Second

// Config says which tokens are good, and what of them becomes claims.
type Config struct {
	// Keys are what tokens may be signed with. Without any, and without Issuers, every token
	// is refused.
	Keys []Key
	// Issuers are those whose tokens are believed by the keys that they publish. Verifier.Run
	// fetches them.
	Issuers []Issuer
	// Claims name claims by their path in the token: {"role": "app_metadata.role"}. A claim
	// that is not named keeps its own name; "id" is "sub" unless it is named.
	Claims map[string]string
	// Cookie is the name of the cookie that may hold the token of requests from our own pages.
	// Without it no cookie is read.
	Cookie string
	// MaxToken is the size of the largest token, in bytes. Defaults to 16 KiB.
	MaxToken int
	// Cached is how many verified tokens are remembered. Defaults to 10,000.
	Cached int
	// Proxies are the addresses whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Transport is how issuers are asked. Defaults to http.DefaultTransport.
	Transport http.RoundTripper
	// Log is told of issuers that fail. Defaults to slog.Default().
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	c.MaxToken = cmp.Or(c.MaxToken, 16<<10)
	c.Cached = cmp.Or(c.Cached, 10_000)
	c.Log = cmp.Or(c.Log, slog.Default())
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	for i, k := range c.Keys {
		if err := k.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("auth.Config.Keys[%d]: %w", i, err))
		}
	}
	for i, issuer := range c.Issuers {
		if err := issuer.validate(); err != nil {
			errs = append(errs, fmt.Errorf("auth.Config.Issuers[%d]: %w", i, err))
		}
	}
	for name, path := range c.Claims {
		if name == "" || path == "" {
			errs = append(errs, fmt.Errorf("auth.Config.Claims: %q: %q names nothing", name, path))
		}
	}
	return errors.Join(errs...)
}

// Token is what a good token says. It is shared by requests and not to be changed.
type Token struct {
	Claims  map[string]any // after mapping
	Expires time.Time      // zero for a token that does not
}

// remembered is a token that was good by the keys of a place at a time.
type remembered struct {
	*Token
	place *place
	ring  *ring
}

// place is where keys are, and what tokens that they signed have to say.
type place struct {
	fixed     *ring      // of the configuration, or nil
	published *published // or nil
	validator *jwt.Validator
}

// ring is the keys that are there now.
func (p *place) ring() *ring {
	if p.fixed != nil {
		return p.fixed
	}
	return p.published.ring.Load()
}

// Verifier tells good tokens from bad. It may be used by many goroutines.
type Verifier struct {
	config Config
	places []*place
	good   *lru.Cache[[sha256.Size]byte, remembered]
}

// New is a verifier of a configuration; the error says all that is wrong with it. The tokens
// of Issuers are refused unless Run runs.
func New(c Config) (*Verifier, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	good, err := lru.New[[sha256.Size]byte, remembered](c.Cached)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	v := &Verifier{config: c, good: good}
	for _, k := range c.Keys {
		v.places = append(v.places, &place{fixed: &ring{[]Key{k}}, validator: newValidator(k.Issuer, k.Audience, c.Now)})
	}
	for _, i := range c.Issuers {
		v.places = append(v.places, &place{published: newPublished(i, c), validator: newValidator(i.Issuer, i.Audience, c.Now)})
	}
	return v, nil
}

func newValidator(issuer, audience string, now func() time.Time) *jwt.Validator {
	options := []jwt.ParserOption{jwt.WithLeeway(skew), jwt.WithTimeFunc(now)}
	if issuer != "" {
		options = append(options, jwt.WithIssuer(issuer))
	}
	if audience != "" {
		options = append(options, jwt.WithAudience(audience))
	}
	return jwt.NewValidator(options...)
}

// Run keeps the keys of the issuers fresh until ctx ends.
func (v *Verifier) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, p := range v.places {
		if p.published != nil {
			all.Go(func() { p.published.run(ctx) })
		}
	}
	all.Wait()
}

// Verify is what a token says; the error is a fault.Unauthenticated whose cause is for the
// log only. The context is for keys that have to be fetched.
func (v *Verifier) Verify(ctx context.Context, token string) (*Token, error) {
	if len(token) > v.config.MaxToken {
		return nil, invalid(fmt.Errorf("the token has %d bytes, more than %d", len(token), v.config.MaxToken))
	}
	hash := sha256.Sum256([]byte(token))
	if r, ok := v.good.Get(hash); ok {
		if r.place.ring() == r.ring && v.alive(r.Token) {
			return r.Token, nil
		}
		v.good.Remove(hash)
	}
	t, err := takeApart(token)
	if err != nil {
		return nil, invalid(err)
	}
	r, err := v.verify(ctx, t)
	if err != nil {
		return nil, invalid(err)
	}
	v.good.Add(hash, r)
	return r.Token, nil
}

func (v *Verifier) alive(t *Token) bool {
	return t.Expires.IsZero() || v.config.Now().Before(t.Expires.Add(skew))
}

// verify looks for the token's key among those that are there, and then among newer ones of
// issuers to whom it is unknown.
func (v *Verifier) verify(ctx context.Context, t *parts) (remembered, error) {
	var unknown []remembered
	refusal := errors.New("no key for this token")
	for _, p := range v.places {
		r, err := v.verifyAt(p, t)
		if r.Token != nil {
			return r, nil
		}
		refusal = clearer(refusal, err)
		if err == nil && p.published != nil && slices.Contains(p.published.Algs, t.alg) {
			unknown = append(unknown, r)
		}
	}
	for _, before := range unknown {
		if errors.Is(refusal, jwt.ErrTokenExpired) || !before.place.published.newer(ctx, before.ring) {
			continue
		}
		r, err := v.verifyAt(before.place, t)
		if r.Token != nil {
			return r, nil
		}
		refusal = clearer(refusal, err)
	}
	return remembered{}, refusal
}

// clearer is the refusal that says more: best that a token which is good otherwise has expired.
func clearer(one, other error) error {
	if other == nil || errors.Is(one, jwt.ErrTokenExpired) {
		return one
	}
	return other
}

// verifyAt is what the token says if a key of the place signed it. Without a Token and an error
// the place has no key for it.
func (v *Verifier) verifyAt(p *place, t *parts) (remembered, error) {
	r := remembered{place: p, ring: p.ring()}
	var refusal error
	for _, k := range r.ring.fitting(t) {
		if refusal = k.verify(t); refusal == nil {
			r.Token, refusal = v.read(p, t)
			break
		}
	}
	return r, refusal
}

// read is a token whose signature is good, as the rest of us see it.
func (v *Verifier) read(p *place, t *parts) (*Token, error) {
	claims, err := t.claims()
	if err != nil {
		return nil, err
	}
	if err := p.validator.Validate(claims); err != nil {
		return nil, err
	}
	token := &Token{Claims: mapped(claims, v.config.Claims)}
	if expires, _ := claims.GetExpirationTime(); expires != nil { // of a type that was looked at
		token.Expires = expires.Time
	}
	return token, nil
}

func invalid(cause error) error {
	if errors.Is(cause, jwt.ErrTokenExpired) {
		return fault.Wrap(fault.Unauthenticated, cause, "the token has expired")
	}
	return fault.Wrap(fault.Unauthenticated, cause, "the token is not valid")
}
