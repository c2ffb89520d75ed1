package graph

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"spacecloud/fault"
)

// gate says which pages of a browser may ask. Whoever is not a browser passes it, and has to
// show who he is some other way; no answer ever allows cookies.
type gate struct {
	origins     map[string]bool
	development bool
}

func newGate(origins []string, development bool) (*gate, error) {
	g := &gate{origins: map[string]bool{}, development: development}
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != o || strings.Contains(o, "*") {
			return nil, fault.New(fault.Invalid,
				"origins: %q is no origin; write scheme://host or scheme://host:port, without a path or *", o)
		}
		g.origins[strings.ToLower(o)] = true
	}
	return g, nil
}

// check refuses requests from pages that may not ask, and puts into h what pages that may are
// to be told.
func (g *gate) check(h http.Header, r *http.Request) error {
	h["Vary"] = varies
	if err := g.checkHost(r); err != nil {
		return err
	}
	origin := r.Header["Origin"]
	if len(origin) == 1 && g.allows(origin[0]) {
		h["Access-Control-Allow-Origin"] = origin
		h["Access-Control-Expose-Headers"] = exposed
		return nil
	}
	if ours(r, origin) {
		return nil
	}
	return refuse(http.StatusForbidden, fault.Denied,
		"pages of the origin %q may not ask; the setting origins lists those that may", strings.Join(origin, ", "))
}

var (
	varies  = []string{"Accept, Origin"}
	exposed = []string{requestIDHeader}
)

// ours is whether a request comes from our own pages or from no page. Sec-Fetch-Site tells of
// requests without an Origin too, such as an image's.
func ours(r *http.Request, origin []string) bool {
	if site := r.Header["Sec-Fetch-Site"]; len(site) > 0 {
		return site[0] == "same-origin" || site[0] == "none"
	}
	if len(origin) == 0 {
		return true
	}
	u, err := url.Parse(origin[0])
	return len(origin) == 1 && err == nil && u.Host == r.Host && u.Host != ""
}

// allows is whether an origin is listed, or the developer's own.
func (g *gate) allows(origin string) bool {
	if len(g.origins) > 0 && g.origins[strings.ToLower(origin)] {
		return true
	}
	if !g.development || !strings.HasPrefix(origin, "http://") {
		return false
	}
	host := hostname(strings.TrimPrefix(origin, "http://"))
	return host == "localhost" || host == "127.0.0.1"
}

// checkHost stops a page that points its own name at the developer's machine (DNS rebinding):
// it would be same-origin with us, but it cannot be called localhost.
func (g *gate) checkHost(r *http.Request) error {
	if !g.development || !onLoopback(r) {
		return nil
	}
	host := hostname(r.Host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil ||
		g.origins["http://"+strings.ToLower(r.Host)] || g.origins["https://"+strings.ToLower(r.Host)] {
		return nil
	}
	return refuse(http.StatusForbidden, fault.Denied,
		"the Host is %q; in development ask for localhost, or list the origin http://%[1]s in the setting origins", r.Host)
}

// onLoopback is whether a request came in on this machine's own address, as far as is known.
func onLoopback(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return !ok || addr.IP.IsLoopback()
}

// hostname is host without a port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// preflight answers OPTIONS, of a page that may ask.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Allow"] = []string{allMethods}
	if r.Header.Get("Access-Control-Request-Method") == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h["Access-Control-Allow-Methods"] = []string{"GET, POST"}
	if wanted := r.Header["Access-Control-Request-Headers"]; len(wanted) > 0 {
		h["Access-Control-Allow-Headers"] = wanted // no cookies, so no header does harm
	}
	h["Access-Control-Max-Age"] = []string{"600"}
	h["Vary"] = []string{"Accept, Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
	w.WriteHeader(http.StatusNoContent)
}
