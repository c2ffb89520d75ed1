package config

import (
	"fmt"
	"testing"
)

const guarded = "admin: {secret: s}\nauth: {keys: [{alg: HS256, secret: s}]}\n"

func TestValidate(t *testing.T) {
	const (
		secret = "an admin secret (admin.secret, SPACECLOUD_ADMIN_SECRET)"
		key    = "a key for tokens (auth.keys, SPACECLOUD_AUTH_KEYS_0_ALG and …_0_SECRET)"
	)
	for _, test := range []struct{ name, file, want string }{
		{"loopback needs nothing", "listen: '[::1]:0'", ""},
		{"localhost is loopback", "listen: localhost:80", ""},
		{"guarded production serves outside", guarded + "production: true\nlisten: 0.0.0.0:80", ""},
		{"every interface is outside", guarded + "production: true\nlisten: :80", ""},
		{"production on loopback", "production: true", "spacecloud.yaml:1:13: production needs " + secret + " and " + key},
		{"an empty secret is none", "auth: {keys: [{alg: HS256, secret: s}]}\nadmin: {secret: ''}\nproduction: true", "spacecloud.yaml:3:13: production needs " + secret},
		{
			"outside", "listen: :4122",
			"spacecloud.yaml:1:9: listen: :4122 can be reached from outside this machine, which needs production (--production), " +
				secret + " and " + key + "; set what is missing, or listen on 127.0.0.1",
		},
		{
			"development outside", guarded + "listen: 192.0.2.1:1",
			"spacecloud.yaml:3:9: listen: 192.0.2.1:1 can be reached from outside this machine, which needs production (--production); " +
				"set what is missing, or listen on 127.0.0.1",
		},
		{"no port", "listen: localhost", `spacecloud.yaml:1:9: listen wants host:port, such as 127.0.0.1:4122, not "localhost"`},
		{"a port that is none", "listen: localhost:http", `spacecloud.yaml:1:9: listen wants a port from 0 (any free one) to 65535, not "http"`},
		{"no folder", "data: ''", "schema, data: must name a folder each"},
		{"a database there is not", "databases: {a: {url: secret@x:y}}", `spacecloud.yaml:1:22: databases.a.url wants an address such as sqlite:data/a.db, not one of kind "secret@x"`},
		{"a path is no address", "databases: {a: {url: data/x.db}}", `spacecloud.yaml:1:22: databases.a.url wants an address such as sqlite:data/a.db, not one of kind ""`},
		{"no file", "databases: {a: {url: 'sqlite:'}}", "spacecloud.yaml:1:22: databases.a.url names no file; write sqlite:data/a.db"},
		{"no url", "databases: {a: {url: ''}}", "spacecloud.yaml:1:22: databases.a.url is missing"},
		{"no algorithm", "auth: {keys: [{secret: x}]}", "spacecloud.yaml:1:24: auth.keys.0.alg is missing: say the one algorithm the key is for, such as HS256"},
		{"an algorithm there is not", "auth: {keys: [{alg: hs265, secret: s}]}", `spacecloud.yaml:1:21: auth.keys.0.alg: "hs265" is not an algorithm for tokens; did you mean HS256?`},
		{"none is no algorithm", "auth: {keys: [{alg: none, secret: s}]}", `spacecloud.yaml:1:21: auth.keys.0.alg: "none" is not an algorithm for tokens; there are HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`},
		{"no secret", "auth: {keys: [{alg: HS256}]}", "spacecloud.yaml:1:21: auth.keys.0.secret is missing or empty: HS256 needs one"},
		{"every kind of key", "auth: {keys: [{alg: HS512, secret: s}, {alg: RS256, public: p}, {jwk: '{}'}, {alg: ES256, jwk: '{}'}, {jwks: 'https://x/keys'}, {jwks: 'http://[::1]:1/keys', algs: [RS256, EdDSA]}, {jwks: 'http://in.cluster/keys'}]}", ""},
		{"no key", "auth: {keys: [{alg: EdDSA}]}", "spacecloud.yaml:1:21: auth.keys.0 is no key: it needs a secret (of HS256), public (a key in PEM), jwk or jwks (an address)"},
		{"two keys in one", "auth: {keys: [{alg: HS256, secret: s, public: p, jwks: j}]}", "spacecloud.yaml:1:21: auth.keys.0 has secret, public and jwks, which are keys of their own; give each an entry"},
		{"a public key as a secret", "auth: {keys: [{alg: HS256, public: p}]}", "spacecloud.yaml:1:36: auth.keys.0.public: HS256 needs a secret, and who knows a public key could sign with it"},
		{"a secret for a public key", "auth: {keys: [{alg: RS256, secret: p}]}", "spacecloud.yaml:1:36: auth.keys.0.secret: RS256 needs a public key; give it as public, in PEM"},
		{"no algorithm of a public key", "auth: {keys: [{public: x}]}", "spacecloud.yaml:1:24: auth.keys.0.alg is missing: say the one algorithm the key is for, such as RS256"},
		{"algorithms of a secret", "auth: {keys: [{algs: [HS256], secret: x}]}", "spacecloud.yaml:1:22: auth.keys.0.algs is for jwks; say the one algorithm of this key as alg"},
		{"an algorithm of published keys", "auth: {keys: [{alg: RS256, jwks: 'https://x/keys'}]}", "spacecloud.yaml:1:21: auth.keys.0: the keys at jwks say their own alg and kid; to allow some algorithms only, list them as algs"},
		{"published secrets", "auth: {keys: [{algs: [HS256, RS265], jwks: 'https://x/keys'}]}", "spacecloud.yaml:1:22: auth.keys.0.algs: \"HS256\" is no algorithm of published keys; did you mean RS256?\nspacecloud.yaml:1:22: auth.keys.0.algs: \"RS265\" is no algorithm of published keys; did you mean RS256?"},
		{"a file of keys", "auth: {keys: [{jwks: keys.json}]}", "spacecloud.yaml:1:22: auth.keys.0.jwks wants an address such as https://example.com/.well-known/jwks.json"},
		{"an address that is none", "auth: {keys: [{jwks: 'https://%zz'}]}", "spacecloud.yaml:1:22: auth.keys.0.jwks wants an address such as https://example.com/.well-known/jwks.json"},
		{"keys of anybody in production", "production: true\nadmin: {secret: s}\nauth: {keys: [{jwks: 'http://x/keys'}, {jwks: 'http://127.0.0.1/keys'}]}", "spacecloud.yaml:3:22: auth.keys.0.jwks: what comes over http may be anybody's; use https"},
		{"a cookie with a space", "auth: {cookie: {name: a b}}", `spacecloud.yaml:1:23: auth.cookie.name wants the name of a cookie, such as __Host-session, not "a b"`},
		{"proxies", "proxies: [10.0.0.1, 10.0.0.0/8, '::1', 'fd00::/8']", ""},
		{"a proxy by name", "proxies: [10.0.0.1, lb.example]", `spacecloud.yaml:1:10: proxies wants addresses and networks such as 10.0.0.1 or 10.0.0.0/8, not "lb.example"`},
		{"a network that is none", "proxies: [10.0.0.0/33]", `spacecloud.yaml:1:10: proxies wants addresses and networks such as 10.0.0.1 or 10.0.0.0/8, not "10.0.0.0/33"`},
		{"a claim that leads nowhere", "auth: {claims: {role: a..b}}", `spacecloud.yaml:1:23: auth.claims.role wants a path in the token, such as sub or app_metadata.role, not "a..b"`},
		{"any origin is no origin", "origins: ['*']", `spacecloud.yaml:1:10: origins wants addresses such as https://app.example.com, without a path, not "*"`},
		{"an origin has no path", "origins: [https://a/]", `spacecloud.yaml:1:10: origins wants addresses such as https://app.example.com, without a path, not "https://a/"`},
		{"no limit is not a limit of nothing", "limits: {depth: 0, timeout: -1s, sockets: 0, operations: -1}", "spacecloud.yaml:1:17: limits.depth wants more than nothing\nspacecloud.yaml:1:29: limits.timeout wants more than nothing\nspacecloud.yaml:1:43: limits.sockets wants more than nothing\nspacecloud.yaml:1:58: limits.operations wants more than nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := load(t, test.file, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := c.Validate(); err != nil {
				got = fmt.Sprint(err)
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
