package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Validate is whether the settings can be served with: an error is Problems, each with what
// to do.
func (c Config) Validate() error {
	var p Problems
	c.checkListen(&p)
	c.checkDatabases(&p)
	c.checkKeys(&p)
	c.checkClaims(&p)
	c.checkCookie(&p)
	c.checkOrigins(&p)
	c.checkProxies(&p)
	c.checkLimits(&p)
	return p.err()
}

// Loopback is whether Listen can only be reached from this machine.
func (c Config) Loopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	return isLoopback(host)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkListen holds the address, and what must be there before others may reach it.
func (c Config) checkListen(p *Problems) {
	if c.Schema == "" || c.Data == "" {
		p.addf("schema, data", "must name a folder each")
	}
	if err := checkAddress(c.Listen); err != nil {
		p.addf(c.Place("listen"), "listen %v", err)
		return
	}
	missing := c.unguarded()
	switch {
	case len(missing) == 0:
	case !c.Loopback():
		p.addf(c.Place("listen"), "listen: %s can be reached from outside this machine, which needs %s; "+
			"set what is missing, or listen on 127.0.0.1", c.Listen, list(missing))
	case c.Production:
		p.addf(c.Place("production"), "production needs %s", list(missing))
	}
}

// unguarded is what is missing before others may reach this process.
func (c Config) unguarded() []string {
	var missing []string
	if !c.Production && !c.Loopback() {
		missing = append(missing, "production (--production)")
	}
	if c.Admin.Secret == "" {
		missing = append(missing, "an admin secret (admin.secret, SPACECLOUD_ADMIN_SECRET)")
	}
	if len(c.Auth.Keys) == 0 {
		missing = append(missing, "a key for tokens (auth.keys, SPACECLOUD_AUTH_KEYS_0_ALG and …_0_SECRET)")
	}
	if !c.Production && c.Loopback() {
		return nil // development makes its own
	}
	return missing
}

// list is the items as a sentence has them: a, b and c.
func list(items []string) string {
	if last := len(items) - 1; last > 0 {
		return strings.Join(items[:last], ", ") + " and " + items[last]
	}
	return strings.Join(items, "")
}

func checkAddress(listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("wants host:port, such as 127.0.0.1:4122, not %q", listen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("wants a port from 0 (any free one) to 65535, not %q", port)
	}
	return nil
}

// schemes are those of databases.
var schemes = []string{"sqlite", "postgres", "postgresql", "mysql", "mariadb", "mongodb", "mongodb+srv"}

func (c Config) checkDatabases(p *Problems) {
	for _, name := range slices.Sorted(maps.Keys(c.Databases)) {
		at, url := "databases."+name+".url", c.Databases[name].URL
		switch {
		case url == "":
			p.addf(c.Place(at), "%s is missing", at)
		case !slices.Contains(schemes, url.Scheme()):
			p.addf(c.Place(at), "%s wants an address such as sqlite:data/%s.db, not one of kind %q", at, name, url.Scheme())
		case strings.TrimPrefix(string(url), "sqlite:") == "":
			p.addf(c.Place(at), "%s names no file; write sqlite:data/%s.db", at, name)
		}
	}
}

// algorithms are the ones there are for tokens.
var algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
	"ES256", "ES384", "ES512", "EdDSA",
}

// checkKeys looks at what each key says about itself. Whether its text is a key of that kind is
// for whoever reads it.
func (c Config) checkKeys(p *Problems) {
	for i, key := range c.Auth.Keys {
		at := "auth.keys." + strconv.Itoa(i)
		holds := key.holds()
		switch {
		case len(holds) == 0 && isShared(key.Alg):
			p.addf(c.Place(at), "%s.secret is missing or empty: %s needs one", at, key.Alg)
		case len(holds) == 0:
			p.addf(c.Place(at), "%s is no key: it needs a secret (of HS256), public (a key in PEM), jwk or jwks (an address)", at)
		case len(holds) > 1:
			p.addf(c.Place(at), "%s has %s, which are keys of their own; give each an entry", at, list(holds))
		case key.JWKS != "":
			c.checkPublished(p, at, key)
		default:
			c.checkAlgorithm(p, at, key)
		}
	}
}

// holds is which of the kinds of keys the entry is.
func (k Key) holds() []string {
	var kinds []string
	for _, each := range []struct{ name, text string }{
		{"secret", string(k.Secret)},
		{"public", string(k.Public)},
		{"jwk", string(k.JWK)},
		{"jwks", string(k.JWKS)},
	} {
		if each.text != "" {
			kinds = append(kinds, each.name)
		}
	}
	return kinds
}

func isShared(alg string) bool { return strings.HasPrefix(alg, "HS") }

// checkAlgorithm holds a key of the settings, which is for one algorithm.
func (c Config) checkAlgorithm(p *Problems, at string, key Key) {
	switch {
	case len(key.Algs) > 0:
		p.addf(c.Place(at+".algs"), "%s.algs is for jwks; say the one algorithm of this key as alg", at)
	case key.Alg == "" && key.JWK != "": // which may say it
	case key.Alg == "":
		p.addf(c.Place(at), "%s.alg is missing: say the one algorithm the key is for, such as %s", at, example(key))
	case !slices.Contains(algorithms, key.Alg):
		p.addf(c.Place(at+".alg"), "%s.alg: %q is not an algorithm for tokens; %s", at, key.Alg, suggest(key.Alg, algorithms))
	case key.Secret != "" && !isShared(key.Alg):
		p.addf(c.Place(at+".secret"), "%s.secret: %s needs a public key; give it as public, in PEM", at, key.Alg)
	case key.Public != "" && isShared(key.Alg):
		p.addf(c.Place(at+".public"), "%s.public: %s needs a secret, and who knows a public key could sign with it", at, key.Alg)
	}
}

func example(k Key) string {
	if k.Public != "" {
		return "RS256"
	}
	return "HS256"
}

// checkPublished holds the keys of an issuer.
func (c Config) checkPublished(p *Problems, at string, key Key) {
	if key.Alg != "" || key.ID != "" {
		p.addf(c.Place(at), "%s: the keys at jwks say their own alg and kid; to allow some algorithms only, list them as algs", at)
	}
	for _, alg := range key.Algs {
		if isShared(alg) || !slices.Contains(algorithms, alg) {
			p.addf(c.Place(at+".algs"), "%s.algs: %q is no algorithm of published keys; %s", at, alg, suggest(alg, algorithms[3:]))
		}
	}
	u, err := url.Parse(string(key.JWKS))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		p.addf(c.Place(at+".jwks"), "%s.jwks wants an address such as https://example.com/.well-known/jwks.json", at)
	case u.Scheme == "http" && c.Production && !isLoopback(u.Hostname()):
		p.addf(c.Place(at+".jwks"), "%s.jwks: what comes over http may be anybody's; use https", at)
	}
}

func (c Config) checkClaims(p *Problems) {
	for _, name := range slices.Sorted(maps.Keys(c.Auth.Claims)) {
		at := "auth.claims." + name
		if slices.Contains(strings.Split(c.Auth.Claims[name], "."), "") {
			p.addf(c.Place(at), "%s wants a path in the token, such as sub or app_metadata.role, not %q", at, c.Auth.Claims[name])
		}
	}
}

// cookieName is what a cookie may be called (RFC 6265).
var cookieName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

func (c Config) checkCookie(p *Problems) {
	const at = "auth.cookie.name"
	if name := c.Auth.Cookie.Name; name != "" && !cookieName.MatchString(name) {
		p.addf(c.Place(at), "%s wants the name of a cookie, such as __Host-session, not %q", at, name)
	}
}

func (c Config) checkProxies(p *Problems) {
	for _, text := range c.Proxies {
		if _, err := ParseNetwork(text); err != nil {
			p.addf(c.Place("proxies"), "proxies %v", err)
		}
	}
}

func (c Config) checkOrigins(p *Problems) {
	for _, origin := range c.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host || !slices.Contains([]string{"http", "https"}, u.Scheme) {
			p.addf(c.Place("origins"), "origins wants addresses such as https://app.example.com, without a path, not %q", origin)
		}
	}
}

func (c Config) checkLimits(p *Problems) {
	for _, each := range []struct {
		key   string
		value int64
	}{
		{"depth", int64(c.Limits.Depth)},
		{"complexity", int64(c.Limits.Complexity)},
		{"aliases", int64(c.Limits.Aliases)},
		{"tokens", int64(c.Limits.Tokens)},
		{"body", int64(c.Limits.Body)},
		{"rows", int64(c.Limits.Rows)},
		{"keys", int64(c.Limits.Keys)},
		{"live", int64(c.Limits.Live)},
		{"timeout", int64(c.Limits.Timeout)},
		{"sockets", int64(c.Limits.Sockets)},
		{"operations", int64(c.Limits.Operations)},
	} {
		if at := "limits." + each.key; each.value < 1 {
			p.addf(c.Place(at), "%s wants more than nothing", at)
		}
	}
}
