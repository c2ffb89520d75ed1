package graph

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOrigins(t *testing.T) {
	const listed = "https://app.example.com"
	production := testServer(t, Options{Origins: []string{listed}}, nil)
	development := testServer(t, Options{Development: true}, nil)
	for _, c := range []struct {
		name    string
		server  *Server
		host    string
		origin  string
		site    string
		status  int
		allowed bool
	}{
		{"no browser", production, "api.example.com", "", "", 200, false},
		{"listed", production, "api.example.com", listed, "cross-site", 200, true},
		{"listed, in capitals", production, "api.example.com", "https://APP.example.com", "", 200, true},
		{"other scheme", production, "api.example.com", "http://app.example.com", "", 403, false},
		{"other", production, "api.example.com", "https://evil.example", "cross-site", 403, false},
		{"other, old browser", production, "api.example.com", "https://evil.example", "", 403, false},
		{"suffix", production, "api.example.com", "https://app.example.com.evil.example", "", 403, false},
		{"null", production, "api.example.com", "null", "", 403, false},
		{"image of another site", production, "api.example.com", "", "cross-site", 403, false},
		{"sister site", production, "api.example.com", "", "same-site", 403, false},
		{"our own", production, "api.example.com", "https://api.example.com", "same-origin", 200, false},
		{"our own, old browser", production, "api.example.com", "https://api.example.com", "", 200, false},
		{"address bar", production, "api.example.com", "", "none", 200, false},
		{"localhost in production", production, "api.example.com", "http://localhost:3000", "", 403, false},
		{"localhost", development, "localhost:8080", "http://localhost:3000", "cross-site", 200, true},
		{"127.0.0.1", development, "127.0.0.1:8080", "http://127.0.0.1:3000", "cross-site", 200, true},
		{"localhost over TLS", development, "localhost:8080", "https://localhost:3000", "cross-site", 403, false},
		{"not localhost", development, "localhost:8080", "http://localhost.evil.example", "cross-site", 403, false},
		{"rebound", development, "evil.example:8080", "http://evil.example:8080", "same-origin", 403, false},
		{"rebound, no browser", development, "evil.example", "", "", 403, false},
		{"IPv6", development, "[::1]:8080", "", "", 200, false},
		{"subdomain of localhost", development, "app.localhost:8080", "", "", 200, false},
	} {
		for _, r := range []*http.Request{postRequest(`{"query":"{__typename}"}`), getRequest("query", "{__typename}")} {
			r.Host = c.host
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if c.site != "" {
				r.Header.Set("Sec-Fetch-Site", c.site)
			}
			a := ask(t, c.server, r)
			allow := a.header.Get("Access-Control-Allow-Origin")
			if a.status != c.status || (allow != "") != c.allowed || allow != "" && allow != c.origin {
				t.Errorf("%s %s: %d, allowed %q", c.name, r.Method, a.status, allow)
			}
			if a.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: credentials", c.name)
			}
			if a.header.Get("Vary") == "" {
				t.Errorf("%s: no Vary", c.name)
			}
		}
	}
}

func TestPreflight(t *testing.T) {
	s := testServer(t, Options{Origins: []string{"https://app.example.com"}}, nil)
	options := func(origin string) answered {
		r := httptest.NewRequest(http.MethodOptions, "/graphql", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
		return ask(t, s, r)
	}
	a := options("https://app.example.com")
	if a.status != 204 || a.header.Get("Access-Control-Allow-Methods") != "GET, POST" ||
		a.header.Get("Access-Control-Allow-Headers") != "authorization,content-type" ||
		a.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a = options("https://evil.example"); a.status != 403 || a.header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	a = ask(t, s, httptest.NewRequest(http.MethodOptions, "/graphql", nil))
	if a.status != 204 || a.header.Get("Allow") != allMethods || a.header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("%d %v", a.status, a.header)
	}
}

func TestOriginsAreChecked(t *testing.T) {
	for _, origin := range []string{"*", "example.com", "https://", "https://example.com/", "https://*.example.com", "null", "https://a@b"} {
		if _, err := newGate([]string{origin}, false); err == nil {
			t.Errorf("%q is an origin", origin)
		}
	}
}
