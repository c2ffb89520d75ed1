// Package config answers how this process is deployed: addresses, credentials and limits,
// from flags, the environment and one file. What the app is stands in its schema.
package config

import (
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Config is the settings in force. Load fills it; a literal is fine in tests. Every setting
// has a key in the file (the tag; groups nest) and an environment variable: the key's path in
// capitals after SPACECLOUD_, as in SPACECLOUD_LIMITS_DEPTH.
type Config struct {
	// Listen is the address of the API and the console, host:port. Defaults to
	// 127.0.0.1:4122. Outside loopback Production, Admin.Secret and Auth.Keys are required.
	Listen string `key:"listen"`
	// Schema is the folder with the *.graphql files. Defaults to schema.
	Schema string `key:"schema"`
	// Data is the folder for what the process itself keeps: SQLite files, the development
	// signing key. Defaults to data.
	Data string `key:"data"`
	// Production requires Admin.Secret and Auth.Keys, and turns off what only development
	// should have. Defaults to false.
	Production bool `key:"production"`
	// Introspection is whether clients may read the API's schema, get suggestions in errors
	// and open the explorer. Defaults to true in development, false in production.
	Introspection bool `key:"introspection"`

	Admin Admin `key:"admin"`
	// Databases are the databases by the name that @table(db:) calls them. Defaults to main,
	// an SQLite file main.db in Data.
	Databases map[string]Database `key:"databases"`
	Auth      Auth                `key:"auth"`
	NATS      NATS                `key:"nats"      later:"yes"`
	// Origins are the browser origins allowed besides our own, as scheme://host[:port].
	// Defaults to none.
	Origins []string `key:"origins"`
	// Proxies are the addresses and networks whose X-Forwarded-For is believed.
	// Defaults to none.
	Proxies []string `key:"proxies"`
	Files   Files    `key:"files"   later:"yes"`
	Limits  Limits   `key:"limits"`
	Trusted Trusted  `key:"trusted"`

	// File is the file that was read, empty where there was none.
	File string

	from map[string]string // where the value at a path was set; see Place
}

// Admin is about who runs the deployment.
type Admin struct {
	// Secret opens the admin API. Required in production; no default.
	Secret Secret `key:"secret"`
}

// Database is where one named database is.
type Database struct {
	// URL names the kind and the place: sqlite:FILE. Required.
	URL URL `key:"url"`
}

// Auth is which tokens are believed and what they say.
type Auth struct {
	// Keys verify tokens. Required in production; in development a key is made on first
	// start when there are none.
	Keys []Key `key:"keys"`
	// Claims name parts of a token for rules: the name that rules use, and the path in the
	// token, with dots. Defaults to id: sub; entries are added to that.
	Claims map[string]string `key:"claims"`
	// Cookie is a cookie that may hold the token, besides the Authorization header.
	Cookie Cookie `key:"cookie"`
}

// Cookie is a cookie of our own pages.
type Cookie struct {
	// Name is what it is called. Empty reads no cookie.
	Name string `key:"name"`
}

// Key is one key for tokens, or the keys that an issuer publishes. One of Secret, Public, JWK
// and JWKS is required.
type Key struct {
	// Alg is the one algorithm the key is for. Required, unless a JWK names it; not for JWKS.
	Alg string `key:"alg"`
	// Algs are the algorithms that published keys may be for. Defaults to all that are not HS….
	Algs []string `key:"algs"`
	// ID is the kid of tokens that this key signed; empty for tokens of any.
	ID string `key:"id"`
	// Secret is the shared secret of an HS… key, as text.
	Secret Secret `key:"secret"`
	// Public is the public key in PEM, for algorithms that are not HS….
	Public PEM `key:"public"`
	// JWK is a secret or a public key as JSON (RFC 7517).
	JWK Secret `key:"jwk"`
	// JWKS is the address where an issuer publishes its keys.
	JWKS URL `key:"jwks"`
	// Issuer is what a token's iss must be; empty believes any.
	Issuer string `key:"issuer"`
	// Audience is what a token's aud must hold; empty believes any.
	Audience string `key:"audience"`
}

// NATS is how processes talk to each other. Not served yet.
type NATS struct {
	// URL is an external cluster; empty means a server inside the process.
	URL URL `key:"url"`
	// Listen is where services connect to the server inside the process; empty is off.
	Listen string `key:"listen"`
	// Token is what services show.
	Token Secret `key:"token"`
}

// Files is where files are kept. Not served yet.
type Files struct {
	// URL is file:FOLDER, s3://bucket?region=…&endpoint=… or gs://bucket.
	URL URL `key:"url"`
}

// Trusted is what clients may run.
type Trusted struct {
	// Documents is the folder with the only documents that are served, *.graphql files and
	// *.json manifests. Empty serves any document.
	Documents string `key:"documents"`
}

// Limits are what one request or one caller may ask for. All are at least 1.
type Limits struct {
	// Depth is how deep the fields of an operation may nest. Defaults to 12.
	Depth int `key:"depth"`
	// Complexity is the most an operation may cost by estimate. Defaults to 10000.
	Complexity int `key:"complexity"`
	// Aliases is the most aliases in an operation. Defaults to 50.
	Aliases int `key:"aliases"`
	// Tokens is the most lexical tokens in a document. Defaults to 5000.
	Tokens int `key:"tokens"`
	// Body is the largest request body in bytes. Defaults to 1MiB.
	Body Size `key:"body"`
	// Rows is the largest limit of a list. Defaults to 1000.
	Rows int `key:"rows"`
	// Keys is the most keys that one condition may take from another database. Defaults to 10000.
	Keys int `key:"keys"`
	// Live is the most live queries that one caller may hold. Defaults to 100.
	Live int `key:"live"`
	// Timeout is how long a request may take. Defaults to 10s.
	Timeout time.Duration `key:"timeout"`
	// Sockets is the most WebSockets and streams of events of one caller. Defaults to 100.
	Sockets int `key:"sockets"`
	// Operations is the most operations at the same time on one WebSocket. Defaults to 100.
	Operations int `key:"operations"`
	// Rate is how often a caller may ask.
	Rate string `key:"rate" later:"yes"`
}

// String is the settings in force, as Print writes them.
func (c Config) String() string {
	var b strings.Builder
	_ = c.Print(&b) // a Builder does not fail
	return b.String()
}

// Place is where the setting at path, or the first of those below it, got its value: a
// position in the file, a variable, a flag or "default". It is the path itself for a Config
// that was not loaded.
func (c Config) Place(path string) string {
	if from, ok := c.from[path]; ok {
		return from
	}
	for _, each := range slices.Sorted(maps.Keys(c.from)) {
		if strings.HasPrefix(each, path+".") {
			return c.from[each]
		}
	}
	return path
}

// environment is the variables of environ, which is as os.Environ gives them.
func environment(environ []string) map[string]string {
	vars := make(map[string]string, len(environ))
	for _, each := range environ {
		if name, value, ok := strings.Cut(each, "="); ok {
			vars[name] = value
		}
	}
	return vars
}

// readFile is the file's text. A file that need not be there and is not is "".
func readFile(name string, required bool) ([]byte, bool, error) {
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) && !required {
		return nil, false, nil
	}
	return text, err == nil, err
}
