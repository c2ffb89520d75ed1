package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
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
	c.checkOrigins(&p)
	c.checkLimits(&p)
	return p.err()
}

// Loopback is whether Listen can only be reached from this machine.
func (c Config) Loopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkListen holds the address, and what must be there before others may reach it.
func (c Config) checkListen(p *Problems) {
	if c.Schema == "" || c.Data == "" {
		p.addf("schema, data", "must name a folder each")
	}
	if err := checkAddress(c.Listen); err != nil {
		p.addf(c.place("listen"), "listen %v", err)
		return
	}
	missing := c.unguarded()
	switch {
	case len(missing) == 0:
	case !c.Loopback():
		p.addf(c.place("listen"), "listen: %s can be reached from outside this machine, which needs %s; "+
			"set what is missing, or listen on 127.0.0.1", c.Listen, list(missing))
	case c.Production:
		p.addf(c.place("production"), "production needs %s", list(missing))
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
			p.addf(c.place(at), "%s is missing", at)
		case !slices.Contains(schemes, url.Scheme()):
			p.addf(c.place(at), "%s wants an address such as sqlite:data/%s.db, not one of kind %q", at, name, url.Scheme())
		case strings.TrimPrefix(string(url), "sqlite:") == "":
			p.addf(c.place(at), "%s names no file; write sqlite:data/%s.db", at, name)
		}
	}
}

// algorithms are the ones there are for tokens, served or not.
var algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
	"ES256", "ES384", "ES512", "EdDSA",
}

func (c Config) checkKeys(p *Problems) {
	for i, key := range c.Auth.Keys {
		at := "auth.keys." + strconv.Itoa(i)
		switch {
		case key.Alg == "":
			p.addf(c.place(at), "%s.alg is missing: say the one algorithm the key is for, HS256", at)
		case !slices.Contains(algorithms, key.Alg):
			p.addf(c.place(at+".alg"), "%s.alg: %q is not an algorithm for tokens; %s", at, key.Alg, suggest(key.Alg, algorithms))
		case key.Alg != "HS256":
			p.addf(c.place(at+".alg"), "%s.alg: %s is not served yet, only HS256 is", at, key.Alg)
		case key.Secret == "":
			p.addf(c.place(at), "%s.secret is missing or empty: %s needs one", at, key.Alg)
		}
	}
}

func (c Config) checkClaims(p *Problems) {
	for _, name := range slices.Sorted(maps.Keys(c.Auth.Claims)) {
		at := "auth.claims." + name
		if slices.Contains(strings.Split(c.Auth.Claims[name], "."), "") {
			p.addf(c.place(at), "%s wants a path in the token, such as sub or app_metadata.role, not %q", at, c.Auth.Claims[name])
		}
	}
}

func (c Config) checkOrigins(p *Problems) {
	for _, origin := range c.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host || !slices.Contains([]string{"http", "https"}, u.Scheme) {
			p.addf(c.place("origins"), "origins wants addresses such as https://app.example.com, without a path, not %q", origin)
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
		{"timeout", int64(c.Limits.Timeout)},
	} {
		if at := "limits." + each.key; each.value < 1 {
			p.addf(c.place(at), "%s wants more than nothing", at)
		}
	}
}
