package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"spacecloud/auth"
	"spacecloud/fault"
)

var (
	noon   = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef0123456789abcdef")
	other  = []byte("fedcba9876543210fedcba9876543210")
)

func verifier(t testing.TB, c auth.Config) *auth.Verifier {
	t.Helper()
	if c.Keys == nil {
		c.Keys = []auth.Key{{Alg: "HS256", Secret: secret}}
	}
	if c.Now == nil {
		c.Now = func() time.Time { return noon }
	}
	v, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(t testing.TB, method jwt.SigningMethod, key any, claims map[string]any, header ...string) string {
	t.Helper()
	if claims == nil {
		claims = map[string]any{}
	}
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	if len(header) == 2 {
		token.Header[header[0]] = header[1]
	}
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func hs256(t testing.TB, claims map[string]any, header ...string) string {
	return sign(t, jwt.SigningMethodHS256, secret, claims, header...)
}

func TestVerify(t *testing.T) {
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	const bad, expired = "the token is not valid", "the token has expired"
	good := hs256(t, map[string]any{"sub": "ann"})
	for _, test := range []struct {
		name, token, want string
	}{
		{"good", good, ""},
		{"good until later", hs256(t, map[string]any{"exp": at(time.Minute), "nbf": at(-time.Minute)}), ""},
		{"none", sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, map[string]any{"sub": "ann"}), bad},
		{"another algorithm of the same secret", sign(t, jwt.SigningMethodHS512, secret, map[string]any{"sub": "ann"}), bad},
		{"another secret", sign(t, jwt.SigningMethodHS256, other, map[string]any{"sub": "ann"}), bad},
		{"expired", hs256(t, map[string]any{"exp": at(-time.Hour)}), expired},
		{"expired within the skew", hs256(t, map[string]any{"exp": at(-59 * time.Second)}), ""},
		{"expired just past the skew", hs256(t, map[string]any{"exp": at(-61 * time.Second)}), expired},
		{"not yet", hs256(t, map[string]any{"nbf": at(time.Hour)}), bad},
		{"not yet, within the skew", hs256(t, map[string]any{"nbf": at(59 * time.Second)}), ""},
		{"not yet, just past the skew", hs256(t, map[string]any{"nbf": at(61 * time.Second)}), bad},
		{"expired exactly at the skew", hs256(t, map[string]any{"exp": at(-60 * time.Second)}), expired},
		{"not yet, exactly at the skew", hs256(t, map[string]any{"nbf": at(60 * time.Second)}), ""},
		{"expired in 1970", hs256(t, map[string]any{"exp": 0}), expired},
		{"exp beyond all dates", hs256(t, map[string]any{"exp": 1e300}), bad},
		{"exp before all dates", hs256(t, map[string]any{"exp": -1e300}), bad},
		{"exp is a list", hs256(t, map[string]any{"exp": []int{1}}), bad},
		{"iat is a text", hs256(t, map[string]any{"iat": "now"}), bad},
		{"iss is a number, and nobody asks", hs256(t, map[string]any{"iss": 7}), bad},
		{"aud is an object, and nobody asks", hs256(t, map[string]any{"aud": map[string]any{}}), bad},
		{"aud is null, and nobody asks", hs256(t, map[string]any{"aud": nil}), bad},
		{"aud holds a number", hs256(t, map[string]any{"aud": []any{"api", 7}}), bad},
		{"jti is a list", hs256(t, map[string]any{"jti": []string{"a"}}), bad},
		{"sub is null", hs256(t, map[string]any{"sub": nil}), bad},
		{"exp is a text", hs256(t, map[string]any{"exp": "tomorrow"}), bad},
		{"exp is null", hs256(t, map[string]any{"exp": nil}), bad},
		{"nbf is an object", hs256(t, map[string]any{"nbf": map[string]any{}}), bad},
		{"sub is a number", hs256(t, map[string]any{"sub": 7}), bad},
		{"1 MB", hs256(t, map[string]any{"sub": strings.Repeat("a", 1<<20)}), bad},
		{"empty", "", bad},
		{"two parts", strings.Join(strings.Split(good, ".")[:2], "."), bad},
		{"four parts", good + ".x", bad},
		{"no base64", "!!.!!.!!", bad},
		{"no JSON", base64.RawURLEncoding.EncodeToString([]byte("{")) + good[strings.Index(good, "."):], bad},
		{"a changed signature", good[:len(good)-4] + "AAAA", bad},
		{"claims are a list", rawToken(t, `[]`), bad},
		{"claims are null", rawToken(t, `null`), bad},
		{"claims are nothing", rawToken(t, ``), bad},
		{"a claim twice", rawToken(t, `{"sub":"ann","sub":"bob"}`), bad},
		{"something after the claims", rawToken(t, `{"sub":"ann"} {}`), bad},
		{"claims that do not end", rawToken(t, `{"sub":"ann"`), bad},
		{"a header of unknown members", rawHeader(t, `{"alg":"HS256","typ":"JWT","jku":"https://evil.example","jwk":{"kty":"oct","k":"AA"}}`), ""},
		{"alg twice", rawHeader(t, `{"alg":"none","alg":"HS256"}`), bad},
		{"kid twice", rawHeader(t, `{"alg":"HS256","kid":"a","kid":"b"}`), bad},
		{"crit", rawHeader(t, `{"alg":"HS256","crit":["exp"],"exp":1}`), bad},
		{"crit is empty", rawHeader(t, `{"alg":"HS256","crit":[]}`), bad},
		{"alg in another case", rawHeader(t, `{"alg":"hs256"}`), bad},
		{"alg as ALG", rawHeader(t, `{"ALG":"HS256"}`), bad},
		{"alg is a number", rawHeader(t, `{"alg":256}`), bad},
		{"no alg", rawHeader(t, `{}`), bad},
		{"kid is a number", rawHeader(t, `{"alg":"HS256","kid":7}`), bad},
		{"kid is null", rawHeader(t, `{"alg":"HS256","kid":null}`), bad},
		{"a kid of odd characters", rawHeader(t, `{"alg":"HS256","kid":"../../dev/null\u0000'; DROP TABLE keys -- \n"}`), ""},
		{"base64 with padding", good + "=", bad},
		{"base64 with another spelling of the same bytes", respelled(t, good), bad},
		{"white space", " " + good, bad},
		{"a line break", good + "\n", bad},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := verifier(t, auth.Config{}).Verify(context.Background(), test.token)
			if got := message(t, err); got != test.want {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

// rawToken signs a payload that no library would make.
func rawToken(t testing.TB, payload string) string {
	t.Helper()
	return raw(t, `{"alg":"HS256"}`, payload)
}

// rawHeader signs a header that no library would make.
func rawHeader(t testing.TB, header string) string {
	t.Helper()
	return raw(t, header, `{"sub":"ann"}`)
}

// respelled changes bits at the end of a token that no byte has.
func respelled(t testing.TB, token string) string {
	t.Helper()
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(digits[strings.IndexByte(digits, token[last])^1])
}

func raw(t testing.TB, header, payload string) string {
	t.Helper()
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sig, err := jwt.SigningMethodHS256.Sign(text, secret)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// message is what the caller is told, "" for nothing.
func message(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unauthenticated {
		t.Fatalf("%v is no fault.Unauthenticated", err)
	}
	return f.Message
}

func TestVerifyKeys(t *testing.T) {
	v := verifier(t, auth.Config{Keys: []auth.Key{
		{Alg: "HS256", ID: "one", Secret: secret, Issuer: "us", Audience: "api"},
		{Alg: "HS256", ID: "two", Secret: other},
	}})
	for _, test := range []struct {
		name, token string
		good        bool
	}{
		{"issuer and audience", hs256(t, map[string]any{"iss": "us", "aud": "api"}), true},
		{"one of the audiences", hs256(t, map[string]any{"iss": "us", "aud": []string{"x", "api"}}), true},
		{"another issuer", hs256(t, map[string]any{"iss": "them", "aud": "api"}), false},
		{"no issuer", hs256(t, map[string]any{"aud": "api"}), false},
		{"another audience", hs256(t, map[string]any{"iss": "us", "aud": "web"}), false},
		{"audience is a number", hs256(t, map[string]any{"iss": "us", "aud": 1}), false},
		{"by kid", sign(t, jwt.SigningMethodHS256, other, nil, "kid", "two"), true},
		{"kid of the other key", sign(t, jwt.SigningMethodHS256, other, nil, "kid", "one"), false},
		{"unknown kid", hs256(t, map[string]any{"iss": "us", "aud": "api"}, "kid", "three"), false},
		{"no kid, second key", sign(t, jwt.SigningMethodHS256, other, nil), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := v.Verify(context.Background(), test.token)
			if (err == nil) != test.good {
				t.Errorf("good = %v, want %v (%v)", err == nil, test.good, err)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	type object = map[string]any
	for _, test := range []struct {
		name  string
		names map[string]string
		token object
		want  object
	}{
		{"id is sub", nil, object{"sub": "ann", "role": "staff"}, object{"id": "ann", "sub": "ann", "role": "staff"}},
		{"sub wins over id", nil, object{"sub": "ann", "id": "bob"}, object{"id": "ann", "sub": "ann"}},
		{"id without sub", nil, object{"id": "bob"}, object{"id": "bob"}},
		{
			"a path",
			map[string]string{"role": "app_metadata.role"},
			object{"app_metadata": object{"role": "staff"}},
			object{"role": "staff", "app_metadata": object{"role": "staff"}},
		},
		{"a named claim that is absent hides its namesake", map[string]string{"role": "app_metadata.role"}, object{"role": "authenticated"}, object{}},
		{
			"a name with dots",
			map[string]string{"role": "https://x.example/role"},
			object{"https://x.example/role": "staff"},
			object{"role": "staff", "https://x.example/role": "staff"},
		},
		{
			"below a name with dots",
			map[string]string{"role": "https://x.example/meta.role"},
			object{"https://x.example/meta": object{"role": "a"}},
			object{"role": "a", "https://x.example/meta": object{"role": "a"}},
		},
		{"id from elsewhere", map[string]string{"id": "uid"}, object{"sub": "ann", "uid": "7"}, object{"id": "7", "uid": "7", "sub": "ann"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := verifier(t, auth.Config{Claims: test.names}).Verify(context.Background(), hs256(t, test.token))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Claims, test.want) {
				t.Errorf("got %v, want %v", got.Claims, test.want)
			}
		})
	}
}

func TestARememberedTokenStillExpires(t *testing.T) {
	now := noon
	v := verifier(t, auth.Config{Now: func() time.Time { return now }})
	token := hs256(t, map[string]any{"exp": noon.Add(time.Minute).Unix()})
	for _, test := range []struct {
		after time.Duration
		want  string
	}{{0, ""}, {119 * time.Second, ""}, {120 * time.Second, "the token has expired"}, {time.Hour, "the token has expired"}} {
		now = noon.Add(test.after)
		_, err := v.Verify(context.Background(), token)
		if got := message(t, err); got != test.want {
			t.Errorf("after %s: got %q, want %q", test.after, got, test.want)
		}
	}
}

func TestFromRequest(t *testing.T) {
	v := verifier(t, auth.Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	good := hs256(t, map[string]any{"sub": "ann", "exp": noon.Add(time.Hour).Unix()})
	for _, test := range []struct {
		name     string
		headers  []string
		signedIn bool
		want     string
	}{
		{"nobody", nil, false, ""},
		{"somebody", []string{"Bearer " + good}, true, ""},
		{"any case", []string{"bEARER  " + good}, true, ""},
		{"another scheme", []string{"Basic YTpi"}, false, "the token is not valid"},
		{"no scheme", []string{good}, false, "the token is not valid"},
		{"empty", []string{""}, false, "the token is not valid"},
		{"empty token", []string{"Bearer "}, false, "the token is not valid"},
		{"two headers", []string{"Bearer " + good, "Bearer " + good}, false, "the token is not valid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
			r.Header["Authorization"] = test.headers
			c, err := v.FromRequest(r)
			if got := message(t, err); got != test.want {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			if until := noon.Add(time.Hour); test.signedIn && !c.Expires.Equal(until) || !test.signedIn && err == nil && !c.Expires.IsZero() {
				t.Errorf("it ends at %v", c.Expires)
			}
			if err == nil && (c.SignedIn != test.signedIn || c.Now != noon || c.Request.Method != "POST") {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestCookie(t *testing.T) {
	v := verifier(t, auth.Config{Cookie: "session"})
	ann, bob := hs256(t, map[string]any{"sub": "ann"}), hs256(t, map[string]any{"sub": "bob"})
	const bad = "the token is not valid"
	const ours = "the cookie session is believed only in requests of pages of this server " +
		"(Sec-Fetch-Site: same-origin, or its Origin); send the token as an Authorization header"
	type header = map[string]string
	same := header{"Sec-Fetch-Site": "same-origin"}
	for _, test := range []struct {
		name    string
		cookies []string
		header  header
		id      any // who it is, nil for nobody
		want    string
	}{
		{"our own page", []string{"session=" + ann}, same, "ann", ""},
		{"our own page, by Origin", []string{"session=" + ann}, header{"Origin": "http://api.example.com"}, "ann", ""},
		{"beside other cookies", []string{"a=b; session=" + ann + "; c=d"}, same, "ann", ""},
		{"another cookie", []string{"sessions=" + ann}, same, nil, ""},
		{"no cookie", nil, header{"Sec-Fetch-Site": "cross-site"}, nil, ""},
		{"a cookie that was cleared", []string{"session="}, same, nil, ""},
		{"a bad cookie", []string{"session=nonsense"}, same, nil, bad},
		{"an expired cookie", []string{"session=" + hs256(t, map[string]any{"exp": 1})}, same, nil, "the token has expired"},
		{"two cookies", []string{"session=" + ann + "; session=" + bob}, same, nil, bad},
		{"two headers of cookies", []string{"session=" + ann, "session=" + ann}, same, nil, bad},
		{"a stranger's page", []string{"session=" + ann}, header{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, nil, ours},
		{"a page of a sister host", []string{"session=" + ann}, header{"Sec-Fetch-Site": "same-site"}, nil, ours},
		{"a stranger's Origin", []string{"session=" + ann}, header{"Origin": "https://evil.example"}, nil, ours},
		{"an Origin that says nothing", []string{"session=" + ann}, header{"Origin": "null"}, nil, ours},
		{"what the browser says of the page wins over Origin", []string{"session=" + ann}, header{"Sec-Fetch-Site": "cross-site", "Origin": "http://api.example.com"}, nil, ours},
		{"a link that somebody followed", []string{"session=" + ann}, header{"Sec-Fetch-Site": "none"}, nil, ours},
		{"no browser", []string{"session=" + ann}, nil, nil, ours},
		{"the header wins", []string{"session=" + ann}, header{"Sec-Fetch-Site": "same-origin", "Authorization": "Bearer " + bob}, "bob", ""},
		{"the header wins over a bad cookie", []string{"session=nonsense"}, header{"Authorization": "Bearer " + bob}, "bob", ""},
		{"a bad header wins over the cookie", []string{"session=" + ann}, header{"Sec-Fetch-Site": "same-origin", "Authorization": "Bearer x"}, nil, bad},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "http://api.example.com/graphql", nil)
			for name, value := range test.header {
				r.Header.Set(name, value)
			}
			r.Header["Cookie"] = test.cookies
			c, err := v.FromRequest(r)
			if got := refusal(err); got != test.want {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			if err == nil && c.Claims["id"] != test.id {
				t.Errorf("it is %v, want %v", c.Claims["id"], test.id)
			}
		})
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	r.Header.Set("Cookie", "session=nonsense")
	if c, err := verifier(t, auth.Config{}).FromRequest(r); err != nil || c.SignedIn {
		t.Errorf("a cookie that nobody configured is read: %v", err)
	}
}

// refusal is what the caller is told, of any kind.
func refusal(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return ""
}

func TestFromPayload(t *testing.T) {
	v := verifier(t, auth.Config{Cookie: "session"})
	ann, bob := hs256(t, map[string]any{"sub": "ann", "exp": noon.Unix()}), hs256(t, map[string]any{"sub": "bob"})
	const bad = "the token is not valid"
	type object = map[string]any
	for _, test := range []struct {
		name    string
		payload object
		id      any
		want    string
	}{
		{"a header", object{"Authorization": "Bearer " + ann}, "ann", ""},
		{"in another case", object{"authorization": "bearer " + ann}, "ann", ""},
		{"and another", object{"AUTHORIZATION": "BEARER " + ann, "lang": 7}, "ann", ""},
		{"a token", object{"token": ann}, "ann", ""},
		{"nothing: the request's", object{}, "bob", ""},
		{"no payload", nil, "bob", ""},
		{"null is nothing", object{"Authorization": nil, "token": nil}, "bob", ""},
		{"two", object{"Authorization": "Bearer " + ann, "token": ann}, nil, bad},
		{"two in other cases", object{"Authorization": "Bearer " + ann, "authorization": "Bearer " + ann}, nil, bad},
		{"no scheme", object{"Authorization": ann}, nil, bad},
		{"a scheme in token", object{"token": "Bearer " + ann}, nil, bad},
		{"empty", object{"token": ""}, nil, bad},
		{"an empty header", object{"Authorization": ""}, nil, bad},
		{"a number", object{"token": 7}, nil, bad},
		{"a header of an object", object{"Authorization": object{"Bearer": ann}}, nil, bad},
		{"a bad token", object{"token": "nonsense"}, nil, bad},
		{"an expired token", object{"token": hs256(t, object{"exp": 1})}, nil, "the token has expired"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/graphql", nil)
			r.Header.Set("Cookie", "session="+bob)
			r.Header.Set("Origin", "http://example.com") // as httptest calls the server
			c, err := v.FromPayload(r, test.payload)
			if got := message(t, err); got != test.want {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			if err == nil && (c.Claims["id"] != test.id || c.Expires.Equal(noon) != (test.id == "ann")) {
				t.Errorf("it is %v until %v, want %v", c.Claims["id"], c.Expires, test.id)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	v := verifier(t, auth.Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	for _, test := range []struct{ name, peer, forwarded, want string }{
		{"direct", "1.2.3.4:99", "", "1.2.3.4"},
		{"a stranger's header is not believed", "1.2.3.4:99", "6.6.6.6", "1.2.3.4"},
		{"behind a proxy", "10.0.0.1:99", "5.5.5.5", "5.5.5.5"},
		{"what the client claims is not believed", "10.0.0.1:99", "6.6.6.6, 5.5.5.5", "5.5.5.5"},
		{"two proxies", "10.0.0.1:99", "5.5.5.5, 10.0.0.2", "5.5.5.5"},
		{"nonsense", "10.0.0.1:99", "x", "10.0.0.1"},
		{"IPv6", "[::1]:99", "", "::1"},
		{"no address", "pipe", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = test.peer
			if test.forwarded != "" {
				r.Header.Set("X-Forwarded-For", test.forwarded)
			}
			c, err := v.FromRequest(r)
			if err != nil {
				t.Fatal(err)
			}
			if c.Request.IP != test.want {
				t.Errorf("got %s, want %s", c.Request.IP, test.want)
			}
		})
	}
}

func TestMintedTokensAreGood(t *testing.T) {
	key := auth.Key{Alg: "HS256", ID: "dev", Secret: secret, Issuer: "us", Audience: "api"}
	token, err := auth.Mint(key, map[string]any{"sub": "ann", "level": 3}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got, err := verifier(t, auth.Config{Keys: []auth.Key{key}, Now: time.Now}).Verify(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	if got.Claims["id"] != "ann" || got.Claims["level"] != 3.0 || time.Until(got.Expires) > time.Hour {
		t.Errorf("got %v", got)
	}
}

func TestBadConfigurations(t *testing.T) {
	for _, test := range []struct {
		name   string
		config auth.Config
		want   string
	}{
		{"short secret", auth.Config{Keys: []auth.Key{{Alg: "HS256", Secret: secret[:31]}}}, "auth.Config.Keys[0]: the secret of a HS256 key needs at least 32 bytes and has 31"},
		{"none", auth.Config{Keys: []auth.Key{{Alg: "none"}}}, `auth.Config.Keys[0]: unknown algorithm "none"`},
		{"a public key as a secret", auth.Config{Keys: []auth.Key{{Alg: "HS256", Secret: []byte("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ")}}}, "auth.Config.Keys[0]: the secret of a HS256 key cannot be a key in PEM"},
		{"no address", auth.Config{Issuers: []auth.Issuer{{JWKS: "file:///etc/keys"}}}, `auth.Config.Issuers[0]: "file:///etc/keys" is no address of a key set`},
		{"an issuer of secrets", auth.Config{Issuers: []auth.Issuer{{JWKS: "https://x", Algs: []string{"HS256"}}}}, `auth.Config.Issuers[0]: keys for "HS256" are not published`},
		{"no path", auth.Config{Claims: map[string]string{"role": ""}}, `auth.Config.Claims: "role": "" names nothing`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := auth.New(test.config); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := auth.Mint(auth.Key{Alg: "HS256", Secret: []byte("weak")}, nil, time.Hour); err == nil {
		t.Error("a weak key signed")
	}
}

func FuzzVerify(f *testing.F) {
	k := newSigner(f, "RS256", "one")
	good := hs256(f, map[string]any{"sub": "ann", "exp": noon.Unix(), "aud": []string{"a", "b"}})
	for _, seed := range []string{
		good, "a.b.c", "..", good + ".", respelled(f, good), rawToken(f, `null`), rawToken(f, `{"exp":1e999}`), rawToken(f, `{"a":{"b":[`),
		rawHeader(f, `{"alg":"HS256","crit":["b64"],"b64":false}`), rawHeader(f, `{"alg":"none"}`), rawHeader(f, `{"alg":"HS256","alg":"RS256"}`),
		k.token(f, map[string]any{"sub": "ann"}), rawHeader(f, `{"alg":"RS256","kid":"one"}`), rawHeader(f, `{"kid":"\u0000\ud800"}`),
	} {
		f.Add(seed)
	}
	v := verifier(f, auth.Config{Keys: []auth.Key{{Alg: "HS256", Secret: secret}, k.key()}})
	f.Fuzz(func(t *testing.T, token string) {
		got, err := v.Verify(context.Background(), token)
		if (got == nil) != (err != nil) {
			t.Errorf("%v and %v", got, err)
		}
		message(t, err)
	})
}
