package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"spacecloud/auth"
)

// issuer publishes keys inside the process, and counts who asks.
type issuer struct {
	mu     sync.Mutex
	answer http.HandlerFunc // nil is nobody there
	asked  int
	ready  chan struct{} // closed when the test has said what there is
	begin  sync.Once
}

func (i *issuer) start() { i.begin.Do(func() { close(i.ready) }) }

// RoundTrip implements http.RoundTripper.
func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	<-i.ready
	i.mu.Lock()
	i.asked++
	answer := i.answer
	i.mu.Unlock()
	if answer == nil {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	answer(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (i *issuer) answers(answer http.HandlerFunc) {
	defer i.start()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

// publishes is what is at the address from now on.
func (i *issuer) publishes(t testing.TB, keys ...any) {
	t.Helper()
	i.says(text(t, map[string]any{"keys": append([]any{}, keys...)}))
}

func (i *issuer) says(body string) {
	i.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
}

// count is how often it was asked since the last time.
func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := i.asked
	i.asked = 0
	return n
}

// believer is a verifier that believes an issuer, running, and what it logs.
type believer struct {
	*auth.Verifier
	*issuer
	testing.TB
	log *bytes.Buffer
}

const address = "https://issuer.example/keys"

// believe runs a verifier in a synctest bubble, whose clock is then the verifier's.
func believe(t *testing.T, test func(*believer), change func(*auth.Config)) {
	synctest.Test(t, func(t *testing.T) {
		b := &believer{issuer: &issuer{ready: make(chan struct{})}, TB: t, log: &bytes.Buffer{}}
		c := auth.Config{
			Issuers: []auth.Issuer{{JWKS: address}}, Transport: b.issuer,
			Log: slog.New(slog.NewTextHandler(b.log, nil)),
		}
		if change != nil {
			change(&c)
		}
		var err error
		if b.Verifier, err = auth.New(c); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		defer b.start()
		running.Go(func() { b.Run(ctx) })
		test(b)
	})
}

// is holds what a token is.
func (b *believer) is(what, token string, good bool) {
	b.Helper()
	b.start()
	_, err := b.Verify(b.Context(), token)
	if got := message(b, err); got != map[bool]string{true: "", false: "the token is not valid"}[good] {
		b.Errorf("%s: %v, want good = %v", what, err, good)
	}
}

// wasAsked holds how often the issuer was asked since it was held last.
func (b *believer) wasAsked(want int) {
	b.Helper()
	synctest.Wait()
	if got := b.count(); got != want {
		b.Errorf("the issuer was asked %d times, want %d", got, want)
	}
}

// said is what was logged.
func (b *believer) said() string {
	synctest.Wait()
	return b.log.String()
}

// after lets time pass.
func after(d time.Duration) {
	time.Sleep(d) // in a bubble that takes none
	synctest.Wait()
}

func TestAnIssuersTokensAreGood(t *testing.T) {
	believe(t, func(b *believer) {
		one, two := newSigner(b, "RS256", "one"), newSigner(b, "ES384", "two")
		b.publishes(b, one.jwk(), two.jwk())
		b.is("by the first", one.token(b, map[string]any{"sub": "ann"}), true)
		b.is("by the second", two.token(b, map[string]any{"sub": "ann"}), true)
		b.is("as the other", (&signer{"RS256", "two", one.private}).token(b, nil), false)
		b.is("without a kid", (&signer{"RS256", "", one.private}).token(b, nil), true)
		b.is("another algorithm of the key", (&signer{"RS512", "one", one.private}).token(b, nil), false)
		b.is("a stranger", newSigner(b, "RS256", "two").token(b, nil), false)
		b.is("the public key as a secret", sign(b, jwt.SigningMethodHS256, []byte(one.pem(b)), nil, "kid", "one"), false)
		b.wasAsked(1)
	}, nil)
}

func TestARotatedKeyIsFetchedOnce(t *testing.T) {
	believe(t, func(b *believer) {
		one, two := newSigner(b, "RS256", "one"), newSigner(b, "RS256", "two")
		b.publishes(b, one.jwk())
		old := one.token(b, map[string]any{"sub": "ann"})
		b.is("the first", old, true)
		b.wasAsked(1)

		b.publishes(b, two.jwk())
		b.is("the new one, too early to ask again", two.token(b, nil), false)
		b.wasAsked(0)
		b.is("the removed one, of which nobody has heard", old, true)
		after(31 * time.Second)
		b.is("the new one", two.token(b, nil), true)
		b.wasAsked(1)
		b.is("the removed one, though remembered", old, false)
	}, nil)
}

// A key that is removed is known to be without anybody's asking for an unknown one.
func TestARemovedKeyIsForgotten(t *testing.T) {
	believe(t, func(b *believer) {
		one, two := newSigner(b, "RS256", "one"), newSigner(b, "RS256", "two")
		b.publishes(b, one.jwk(), two.jwk())
		token := one.token(b, map[string]any{"sub": "ann"})
		b.is("at first", token, true)
		b.publishes(b, two.jwk())
		after(10 * time.Minute)
		b.is("removed", token, false)
		b.is("the other", two.token(b, nil), true)
		b.publishes(b)
		after(10 * time.Minute)
		b.is("the last is removed", two.token(b, nil), false)
	}, nil)
}

// However many tokens name unknown keys, the issuer is asked once, and then not for a while.
func TestUnknownKeysAreNoStampede(t *testing.T) {
	believe(t, func(b *believer) {
		one := newSigner(b, "EdDSA", "one")
		slow := make(chan struct{})
		body := text(b, map[string]any{"keys": []any{one.jwk()}})
		b.answers(func(w http.ResponseWriter, _ *http.Request) {
			<-slow
			_, _ = io.WriteString(w, body)
		})
		storm := func(answer func()) {
			var all sync.WaitGroup
			for i := range 200 {
				token := (&signer{"EdDSA", fmt.Sprint("unknown ", i), one.private}).token(b, nil)
				all.Go(func() { b.is("unknown", token, false) })
			}
			synctest.Wait()
			answer()
			all.Wait()
		}
		all := one.token(b, nil)
		storm(func() {
			var early sync.WaitGroup
			early.Go(func() { b.is("before the first answer", all, true) })
			synctest.Wait()
			close(slow)
			early.Wait()
		})
		b.wasAsked(1)
		storm(func() {})
		b.wasAsked(0)
		after(31 * time.Second)
		storm(func() {})
		b.wasAsked(1)
	}, nil)
}

func TestAnIssuerThatIsDownAtTheStart(t *testing.T) {
	believe(t, func(b *believer) {
		one := newSigner(b, "RS256", "one")
		token := one.token(b, nil)
		b.is("nobody there", token, false)
		b.wasAsked(1)
		for wait := time.Second; wait <= 16*time.Second; wait *= 2 {
			after(wait - time.Millisecond)
			b.is("still nobody", token, false)
			b.wasAsked(0)
			after(time.Millisecond)
			b.wasAsked(1)
		}
		if n := strings.Count(b.said(), "level=WARN"); n != 1 || !strings.Contains(b.said(), "its tokens are refused until it does") {
			b.Errorf("the log says %d times\n%s", n, b.said())
		}
		after(24 * time.Hour)
		if n := b.count(); n > 24*6+10 {
			b.Errorf("in a day it is asked %d times", n)
		}
		b.publishes(b, one.jwk())
		after(10 * time.Minute)
		b.is("there at last", token, true)
		if !strings.Contains(b.said(), "answers again") {
			b.Error(b.said())
		}
	}, nil)
}

// What an issuer may answer instead of keys; those that were there stay.
func TestTheLastGoodKeysStay(t *testing.T) {
	one := newSigner(t, "RS256", "one")
	endless := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil && w.(*httptest.ResponseRecorder).Body.Len() < 4<<20 {
			_, _ = io.WriteString(w, strings.Repeat(" ", 1<<16))
		}
	}
	says := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	newKey := newSigner(t, "EdDSA", "")
	many := make([]any, 10_000)
	for i := range many {
		many[i] = with(newKey.jwk(), map[string]any{"kid": fmt.Sprint(i)})
	}
	for name, answer := range map[string]http.HandlerFunc{
		"nobody":   nil,
		"too slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"an error": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"keys":[]}`, http.StatusInternalServerError)
		},
		"not found":        http.NotFound,
		"no content":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"nothing":          says(""),
		"a page":           says("<!doctype html><title>Sign in</title>"),
		"another object":   says(`{"error":"rate limited"}`),
		"a list":           says(`[]`),
		"null":             says(`{"keys":null}`),
		"keys are no list": says(`{"keys":{"one":{}}}`),
		"cut off":          says(text(t, map[string]any{"keys": []any{one.jwk()}})[:100]),
		"without end":      endless,
		"10,000 keys":      says(text(t, map[string]any{"keys": many})),
		"20,000 things":    says(`{"keys":[` + strings.Repeat("{},", 19_999) + `{}]}`),
		"deep":             says(strings.Repeat(`{"keys":[`, 50_000)),
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/keys", http.StatusFound)
		},
		"inside": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1/keys", http.StatusFound)
		},
		"without TLS": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://issuer.example/keys", http.StatusFound)
		},
		"round in a circle": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, address, http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			believe(t, func(b *believer) {
				b.publishes(b, one.jwk())
				b.is("at first", one.token(b, nil), true)
				b.answers(answer)
				after(10*time.Minute + 10*time.Second) // it may take its time
				if !strings.Contains(b.said(), "the keys that it published last stay good") {
					b.Errorf("the log does not say it: %s", b.said())
				}
				b.count()
				b.is("still", one.token(b, map[string]any{"sub": "ann"}), true)
				b.is("another", newSigner(b, "RS256", "two").token(b, nil), false)
				b.wasAsked(0)
				b.publishes(b, one.jwk())
				after(10 * time.Minute)
				if !strings.Contains(b.said(), "answers again") {
					b.Errorf("the log does not say it: %s", b.said())
				}
			}, nil)
		})
	}
}

func TestARedirectOfTheSameHostIsFollowed(t *testing.T) {
	believe(t, func(b *believer) {
		one := newSigner(b, "RS256", "one")
		body := text(b, map[string]any{"keys": []any{one.jwk()}})
		b.answers(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/keys" {
				http.Redirect(w, r, "/v2/keys", http.StatusMovedPermanently)
				return
			}
			_, _ = io.WriteString(w, body)
		})
		b.is("it", one.token(b, nil), true)
	}, nil)
}

func TestPublishedKeysThatAreNotUsed(t *testing.T) {
	type object = map[string]any
	one := newSigner(t, "RS256", "one")
	for name, test := range map[string]struct {
		jwk  any
		good bool
	}{
		"as it is":                  {one.jwk(), true},
		"of no algorithm":           {with(one.jwk(), object{"alg": nil}), true},
		"of no use":                 {with(one.jwk(), object{"use": nil}), true},
		"to verify":                 {with(one.jwk(), object{"key_ops": []string{"verify"}}), true},
		"with what nobody knows":    {with(one.jwk(), object{"x5c": []string{"AA"}, "ext": true}), true},
		"to encrypt":                {with(one.jwk(), object{"use": "enc"}), false},
		"to sign only":              {with(one.jwk(), object{"key_ops": []string{"sign"}}), false},
		"for encryption":            {with(one.jwk(), object{"alg": "RSA-OAEP-256"}), false},
		"for none":                  {with(one.jwk(), object{"alg": "none"}), false},
		"private":                   {with(one.jwk(), object{"d": "AAAA"}), false},
		"a secret":                  {object{"kty": "oct", "kid": "one", "alg": "RS256", "k": b64(secret)}, false},
		"no object":                 {"one", false},
		"empty":                     {object{}, false},
		"null":                      {nil, false},
		"an algorithm for a number": {with(one.jwk(), object{"alg": 256}), false},
	} {
		t.Run(name, func(t *testing.T) {
			believe(t, func(b *believer) {
				two := newSigner(b, "EdDSA", "two")
				b.publishes(b, test.jwk, two.jwk())
				b.is("it", one.token(b, nil), test.good)
				b.is("another key of the set", two.token(b, nil), true)
				b.is("signed with a published secret", sign(b, jwt.SigningMethodHS256, secret, nil, "kid", "one"), false)
				if told := strings.Contains(b.said(), "some keys of the issuer are not used"); told == test.good {
					b.Errorf("the log says %s", b.said())
				}
			}, nil)
		})
	}
}

// However many keys are not used, and whatever they hold, the log stays short.
func TestTheLogOfUnusedKeysIsShort(t *testing.T) {
	believe(t, func(b *believer) {
		one := newSigner(b, "EdDSA", "one")
		keys := []any{one.jwk()}
		for i := range 100 {
			keys = append(keys, map[string]any{"kty": fmt.Sprint(i, strings.Repeat("x", 1000))})
		}
		b.publishes(b, keys...)
		b.is("the one that is used", one.token(b, nil), true)
		if log := b.said(); len(log) > 1000 || !strings.Contains(log, "used=1") {
			b.Error(log)
		}
	}, nil)
}

// An issuer that does not tell his keys apart cannot make us try all of them.
func TestKeysThatAreNotToldApart(t *testing.T) {
	believe(t, func(b *believer) {
		one := newSigner(b, "EdDSA", "same")
		var keys []any
		for range 4 {
			keys = append(keys, newSigner(b, "EdDSA", "same").jwk())
		}
		b.publishes(b, append(keys, one.jwk())...)
		b.is("five of a name", one.token(b, nil), false)
		b.publishes(b, append(keys[1:], one.jwk())...)
		after(10 * time.Minute)
		b.is("four of a name", one.token(b, nil), true)
	}, nil)
}

func TestAlgorithmsOfAnIssuer(t *testing.T) {
	believe(t, func(b *believer) {
		one, two, bare := newSigner(b, "PS384", "one"), newSigner(b, "ES256", "two"), newSigner(b, "RS256", "bare-two")
		b.publishes(b, one.jwk(), two.jwk(), with(bare.jwk(), map[string]any{"alg": nil}))
		b.is("one of them", one.token(b, nil), true)
		b.is("none of them", two.token(b, nil), false)
		b.is("a bare key is for the first that fits", (&signer{"PS384", "bare-two", bare.private}).token(b, nil), true)
		b.is("and for no other", bare.token(b, nil), false)
	}, func(c *auth.Config) { c.Issuers[0].Algs = []string{"PS384", "RS256"} })
}

// A key set that nobody refreshes, or whose refresh has ended, makes nobody wait for ever.
func TestWithoutRunTokensAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, err := auth.New(auth.Config{Issuers: []auth.Issuer{{JWKS: address}}})
		if err != nil {
			t.Fatal(err)
		}
		token := newSigner(t, "RS256", "one").token(t, nil)
		if _, err := v.Verify(t.Context(), token); message(t, err) != "the token is not valid" {
			t.Error(err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		if _, err := v.Verify(gone, token); err == nil || time.Since(began) > 0 {
			t.Errorf("who has gone is waited for %s: %v", time.Since(began), err)
		}
	})
}

// Tokens as the services make them, with keys made here.
func TestTokensOfServices(t *testing.T) {
	type object = map[string]any
	jwks := newSigner(t, "RS256", "one")
	for _, test := range []struct {
		name   string
		issuer auth.Issuer
		keys   []auth.Key
		claims map[string]string
		token  object
		sign   func(object) string
		want   object         // some of the claims of the caller
		bad    map[string]any // each, put into the token, makes it bad
	}{
		{
			name:   "Auth0",
			issuer: auth.Issuer{JWKS: address, Issuer: "https://tenant.eu.auth0.com/", Audience: "https://api.example.com"},
			claims: map[string]string{"roles": "https://example.com/roles", "team": "https://example.com/app.team"},
			token: object{
				"iss": "https://tenant.eu.auth0.com/", "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
				"aud": []string{"https://api.example.com", "https://tenant.eu.auth0.com/userinfo"},
				"azp": "my_client_id", "scope": "openid profile", "permissions": []string{"read:posts"},
				"https://example.com/roles": []string{"editor"}, "https://example.com/app": object{"team": "a"},
			},
			sign: func(o object) string { return jwks.token(t, o) },
			want: object{"id": "auth0|5f7c8ec7c33c6c004bbafe82", "roles": []any{"editor"}, "team": "a"},
			bad: map[string]any{
				"iss": "https://tenant.eu.auth0.com", "aud": []string{"https://tenant.eu.auth0.com/userinfo"},
				"exp": "1", "nbf": time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix(),
			},
		},
		{
			name:   "Firebase",
			issuer: auth.Issuer{JWKS: address, Algs: []string{"RS256"}, Issuer: "https://securetoken.google.com/project-1", Audience: "project-1"},
			claims: map[string]string{"provider": "firebase.sign_in_provider"},
			token: object{
				"iss": "https://securetoken.google.com/project-1", "aud": "project-1", "auth_time": 946684800,
				"user_id": "u1", "sub": "u1", "email": "ann@example.com", "email_verified": true,
				"firebase": object{"identities": object{"email": []string{"ann@example.com"}}, "sign_in_provider": "password"},
			},
			sign: func(o object) string { return jwks.token(t, o) },
			want: object{"id": "u1", "provider": "password", "email_verified": true},
			bad:  map[string]any{"iss": "https://securetoken.google.com/project-2", "aud": "project-2", "sub": 1},
		},
		{
			name:   "Supabase",
			keys:   []auth.Key{{Alg: "HS256", Secret: secret, Audience: "authenticated"}},
			claims: map[string]string{"role": "app_metadata.role"},
			token: object{
				"aud": "authenticated", "sub": "8b1c0d1e", "role": "authenticated", "aal": "aal1",
				"app_metadata": object{"provider": "email", "role": "staff"}, "user_metadata": object{"role": "admin"},
			},
			sign: func(o object) string { return hs256(t, o) },
			want: object{"id": "8b1c0d1e", "role": "staff"},
			bad:  map[string]any{"aud": "anon"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			believe(t, func(b *believer) {
				b.publishes(b, jwks.jwk(), newSigner(b, "RS256", "two").jwk())
				test.token["iat"], test.token["exp"] = time.Now().Unix(), time.Now().Add(time.Hour).Unix()
				got, err := b.Verify(b.Context(), test.sign(test.token))
				if err != nil {
					b.Fatal(err)
				}
				for name, want := range test.want {
					if fmt.Sprint(got.Claims[name]) != fmt.Sprint(want) {
						b.Errorf("%s is %v, want %v", name, got.Claims[name], want)
					}
				}
				if !got.Expires.Equal(time.Now().Add(time.Hour)) {
					b.Errorf("it expires at %s", got.Expires)
				}
				for name, value := range test.bad {
					good := test.token[name]
					b.is(name, test.sign(with(test.token, object{name: value})), false)
					test.token[name] = good
					if good == nil {
						delete(test.token, name)
					}
				}
			}, func(c *auth.Config) {
				c.Keys, c.Claims, c.Issuers = test.keys, test.claims, nil
				if test.issuer.JWKS != "" {
					c.Issuers = []auth.Issuer{test.issuer}
				}
			})
		})
	}
}
