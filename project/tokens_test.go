package project

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"spacecloud/auth"
	"spacecloud/config"
)

const own = `type Note @auth(read: "doc.owner == auth.id && request.ip != '10.0.0.1'", create: "doc.owner == auth.id") { id: ID! @primary  owner: String! }`

const tokenSecret = "a secret of thirty-two bytes …"

func minted(t testing.TB, sub string) string {
	t.Helper()
	token, err := auth.Mint(auth.Key{Alg: "HS256", Secret: []byte(tokenSecret)}, map[string]any{"sub": sub}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// send posts a query with headers, "Name: value", and returns the status and the answer.
func (w *world) send(kind, query string, headers ...string) (int, string) {
	w.Helper()
	body := fmt.Sprintf(`{"query": %q}`, query)
	r := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "http://localhost/graphql", strings.NewReader(body))
	r.RemoteAddr = "10.0.0.1:1"
	r.Header.Set("Content-Type", kind)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, r)
	return answer.Code, strings.TrimSpace(answer.Body.String())
}

// A page that may ask can read why it is refused; another's cannot even try a token.
func TestPagesCanReadWhyATokenIsRefused(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": own})
	w.change = func(c *config.Config) { c.Origins = []string{"https://app.example"} }
	w.open(false)
	w.load()
	for origin, want := range map[string]struct {
		status          int
		allowed, scheme string
		code            string
	}{
		"https://app.example":  {401, "https://app.example", "Bearer", "UNAUTHENTICATED"},
		"https://evil.example": {403, "", "", "FORBIDDEN"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/graphql", strings.NewReader(`{"query": "{ __typename }"}`))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Origin": {origin}, "Authorization": {"Bearer nonsense"}}
		answer := httptest.NewRecorder()
		w.Handler().ServeHTTP(answer, r)
		h := answer.Header()
		if answer.Code != want.status || h.Get("Access-Control-Allow-Origin") != want.allowed || h.Get("WWW-Authenticate") != want.scheme ||
			!strings.Contains(answer.Body.String(), want.code) || h.Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %v %s", origin, answer.Code, h, answer.Body)
		}
	}
}

// A cookie changes nothing but for our own pages, which a stranger's cannot pass for.
func TestACookieIsForOurOwnPages(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": own})
	w.change = func(c *config.Config) {
		c.Auth.Keys = []config.Key{{Alg: "HS256", Secret: tokenSecret}}
		c.Auth.Cookie.Name = "session"
		c.Origins = []string{"https://app.example"}
	}
	w.open(false)
	w.load()
	cookie := "Cookie: session=" + minted(t, "ann")
	const json, change = "application/json", `mutation { insertNote(doc: {id: "%s", owner: "ann"}) { id } }`
	for i, test := range []struct {
		name, kind string
		headers    []string
		status     int
		want       string
	}{
		{"our page", json, []string{cookie, "Sec-Fetch-Site: same-origin", "Origin: http://localhost"}, 200, `{"data":{"insertNote":`},
		{"our page without JSON, which no preflight guards", "text/plain", []string{cookie, "Sec-Fetch-Site: same-origin"}, 415, "send application/json"},
		{"a form of our page", "application/x-www-form-urlencoded", []string{cookie, "Sec-Fetch-Site: same-origin"}, 415, "send application/json"},
		{"a stranger's page", json, []string{cookie, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 403, "FORBIDDEN"},
		{"a page that may ask", json, []string{cookie, "Sec-Fetch-Site: cross-site", "Origin: https://app.example"}, 403, "the cookie session is believed only in requests of pages of this server"},
		{"a page that may ask, with a header", json, []string{"Sec-Fetch-Site: cross-site", "Origin: https://app.example", "Authorization: Bearer " + minted(t, "ann")}, 200, `{"data":{"insertNote":`},
		{"no browser", json, []string{cookie}, 403, "FORBIDDEN"},
		{"a bad cookie", json, []string{"Cookie: session=x", "Sec-Fetch-Site: same-origin"}, 401, `{"errors":[{"message":"the token is not valid","extensions":{"code":"UNAUTHENTICATED"}}]}`},
	} {
		status, got := w.send(test.kind, fmt.Sprintf(change, fmt.Sprint(i)), test.headers...)
		if status != test.status || !strings.Contains(got, test.want) {
			t.Errorf("%s: %d %s, want %d %s", test.name, status, got, test.status, test.want)
		}
	}
}

func TestProxiesAreBelieved(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": own})
	w.change = func(c *config.Config) {
		c.Auth.Keys = []config.Key{{Alg: "HS256", Secret: tokenSecret}}
		c.Proxies = []string{"10.0.0.0/8"}
	}
	w.open(false)
	w.load()
	bearer := "Authorization: Bearer " + minted(t, "ann")
	if _, got := w.send("application/json", `mutation { insertNote(doc: {id: "a", owner: "ann"}) { id } }`, bearer); strings.Contains(got, "errors") {
		t.Fatal(got)
	}
	_, behind := w.send("application/json", `{ notes { id } }`, bearer, "X-Forwarded-For: 6.6.6.6")
	w.equal("the answer to a client behind a proxy", behind, `{"data":{"notes":[{"id":"a"}]}}`)
	_, direct := w.send("application/json", `{ notes { id } }`, bearer)
	if strings.Contains(direct, `"a"`) {
		t.Errorf("the answer to the proxy itself is %s", direct)
	}
}

// An issuer that a real client asks over a real connection.
func TestTokensOfAnIssuerThatPublishesItsKeys(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"one","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public))
	}))
	defer issuer.Close()
	w := newWorld(t, map[string]string{"a.graphql": own})
	w.change = func(c *config.Config) {
		c.Auth.Keys = []config.Key{{JWKS: config.URL(issuer.URL), Issuer: "us"}}
	}
	w.open(false)
	w.load()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { w.RefreshKeys(ctx) })
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"sub": "ann", "iss": "us"})
	token.Header["kid"] = "one"
	signed, err := token.SignedString(private)
	if err != nil {
		t.Fatal(err)
	}
	w.equal("the answer to Ann", w.ask("{ notes { id } }", signed), `{"data":{"notes":[]}}`)
	if _, err := SigningKey(w.Settings); err == nil || !strings.Contains(err.Error(), "none of auth.keys can sign") {
		t.Error(err)
	}
}
