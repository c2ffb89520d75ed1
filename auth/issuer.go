package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Issuer is where somebody publishes the keys of his tokens (JWKS, RFC 7517), and may change
// them.
type Issuer struct {
	// JWKS is the address of the keys. Required.
	JWKS string
	// Algs are the algorithms that are believed. A key is for the one that it names, else for
	// the first of these that fits it. Defaults to all but those with a shared secret.
	Algs []string
	// Issuer is what "iss" has to be, or "" for any.
	Issuer string
	// Audience is what "aud" has to hold, or "" for any.
	Audience string
}

func (i Issuer) validate() error {
	if u, err := url.Parse(i.JWKS); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%q is no address of a key set", i.JWKS)
	}
	for _, alg := range i.Algs {
		if !slices.Contains(Public(), alg) {
			return fmt.Errorf("keys for %q are not published", alg)
		}
	}
	return nil
}

// What an issuer may make us do.
const (
	refreshEvery   = 10 * time.Minute // while he answers
	refreshLeast   = 30 * time.Second // between two answers, whatever tokens come
	firstRetry     = time.Second      // doubled with each failure, up to refreshEvery
	fetchTimeout   = 5 * time.Second
	maxAnswer      = 1 << 20 // bytes
	maxPublished   = 1000    // keys
	maxRedirects   = 3
	maxFittingKeys = 4 // that are tried for one token
	maxReasons     = 5 // that are told why keys are not used
)

// ring is the keys of one place at one time. It is not changed, so that a remembered token can
// say by which it was good.
type ring struct{ keys []Key }

// fitting are the keys that may have signed the token: few, or else none, because the issuer has to tell
// his keys apart.
func (r *ring) fitting(t *parts) []Key {
	var found []Key
	for _, k := range r.keys {
		if k.fits(t) {
			found = append(found, k)
		}
	}
	if len(found) > maxFittingKeys {
		return nil
	}
	return found
}

// published is the keys of an issuer, fetched by run and by nobody else.
type published struct {
	Issuer
	client *http.Client
	now    func() time.Time
	log    *slog.Logger

	ring   atomic.Pointer[ring] // never nil
	nudge  chan struct{}        // wakes run
	unused string               // what was last told of keys that are not used; run's own

	mu       sync.Mutex
	asking   chan struct{} // closed when the answer that is waited for is there; nil when none is; guarded by mu
	earliest time.Time     // when a token may make us ask again; guarded by mu
}

func newPublished(i Issuer, c Config) *published {
	if len(i.Algs) == 0 {
		i.Algs = Public()
	}
	where, _ := url.Parse(i.JWKS) // validated
	p := &published{
		Issuer: i, now: c.Now, log: c.Log.With("jwks", where.Redacted()),
		client: &http.Client{Transport: c.Transport, CheckRedirect: redirected, Timeout: fetchTimeout},
		nudge:  make(chan struct{}, 1),
		asking: make(chan struct{}), // run begins by asking
	}
	p.ring.Store(&ring{})
	return p
}

// redirected follows few redirects, and those not to somebody else.
func redirected(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects || r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		return fmt.Errorf("it redirects to %s, where nobody said that keys are", r.URL.Redacted())
	}
	return nil
}

// newer waits for keys that are newer than old, if the issuer may be asked now.
func (p *published) newer(ctx context.Context, old *ring) bool {
	if p.ring.Load() != old {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if answer := p.ask(); answer != nil {
		select {
		case <-answer:
		case <-ctx.Done():
		}
	}
	return p.ring.Load() != old
}

// ask is closed when an answer is there that was asked for now; nil if it is too early to ask.
// However many ask at once, one question is sent.
func (p *published) ask() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking == nil {
		if p.now().Before(p.earliest) {
			return nil
		}
		p.asking = make(chan struct{})
		p.nudge <- struct{}{} // has room: run takes it before asking is nil again
	}
	return p.asking
}

// answered lets go who waits, and nobody ask again for a while.
func (p *published) answered(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.nudge: // whoever asked while the timer did has this answer
	default:
	}
	p.earliest = p.now().Add(wait)
	if p.asking != nil {
		close(p.asking)
		p.asking = nil
	}
}

// run keeps the keys fresh until ctx ends.
func (p *published) run(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		err := p.refresh(ctx)
		wait, quiet := refreshEvery, refreshLeast
		switch {
		case ctx.Err() != nil:
		case err != nil:
			failures++
			wait = retry(failures)
			quiet = wait
			p.tell(ctx, failures, err)
		case failures > 0:
			failures = 0
			p.log.InfoContext(ctx, "the issuer of tokens answers again")
		}
		p.answered(quiet)
		pause(ctx, wait, p.nudge)
	}
}

// pause ends after wait, when it is nudged, or with ctx.
func pause(ctx context.Context, wait time.Duration, nudge <-chan struct{}) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-nudge:
	case <-ctx.Done():
	}
}

func retry(failures int) time.Duration {
	const enough = 10 // doublings, and no overflow
	return min(firstRetry<<min(failures-1, enough), refreshEvery)
}

// tell says once that the issuer fails.
func (p *published) tell(ctx context.Context, failures int, err error) {
	if failures > 1 {
		return
	}
	consequence := "the keys that it published last stay good"
	if len(p.ring.Load().keys) == 0 {
		consequence = "its tokens are refused until it does"
	}
	p.log.WarnContext(ctx, "the issuer of tokens does not tell its keys; "+consequence, "error", err)
}

// refresh asks the issuer once. Keys that are the same stay the same ring.
func (p *published) refresh(ctx context.Context) error {
	body, err := p.fetch(ctx)
	if err != nil {
		return err
	}
	keys, unused, err := p.read(body)
	if err != nil {
		return err
	}
	if reasons := fmt.Sprint(unused); unused != nil && reasons != p.unused {
		p.unused = reasons
		p.log.WarnContext(ctx, "some keys of the issuer are not used", "used", len(keys), "reasons", unused)
	}
	if !slices.EqualFunc(keys, p.ring.Load().keys, Key.same) {
		p.ring.Store(&ring{keys})
	}
	return nil
}

func (p *published) fetch(ctx context.Context) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.JWKS, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	return body, err
}

// read is the keys of an answer that can be used, and why others cannot.
func (p *published) read(body []byte) (keys []Key, unused, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || set.Keys == nil {
		return nil, nil, errors.New(`the answer is no key set, {"keys": […]}`)
	}
	if len(set.Keys) > maxPublished {
		return nil, nil, fmt.Errorf("the answer has %d keys, more than %d", len(set.Keys), maxPublished)
	}
	reasons := map[string]bool{}
	for _, text := range set.Keys {
		k, err := p.key(text)
		if err == nil {
			keys = append(keys, k)
			continue
		}
		if reason := err.Error(); !reasons[reason] && len(reasons) < maxReasons {
			reasons[reason] = true
			unused = errors.Join(unused, err)
		}
	}
	return keys, unused, nil
}

func (p *published) key(text []byte) (Key, error) {
	var j jwk
	if err := json.Unmarshal(text, &j); err != nil {
		return Key{}, errors.New("is no JWK")
	}
	if j.Type == "oct" {
		return Key{}, errors.New("is a secret, which is none once it is published")
	}
	k, err := j.key(p.Algs)
	k.Issuer, k.Audience = p.Issuer.Issuer, p.Audience
	return k, err
}
