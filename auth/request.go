package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"spacecloud/fault"
)

// FromRequest is who sends a request: nobody without a token, and a fault.Unauthenticated with
// one that is not good, also where none is needed. It comes in the Authorization header, or
// else in the cookie of the configuration, which is a fault.Denied but for our own pages.
func (v *Verifier) FromRequest(r *http.Request) (*Caller, error) {
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
		token, err := v.fromCookie(r)
		if err != nil {
			return nil, err
		}
		return v.Caller(r, token)
	case 1:
		if token, ok := bearer(headers[0]); ok {
			return v.Caller(r, token)
		}
	}
	return nil, invalid(errors.New(`the Authorization header is not one "Bearer …"`))
}

// fromCookie is the token of the cookie, "" for none. Browsers send cookies with requests of
// strangers' pages too, so that one is only believed when the browser says that the page is
// ours: settings.origins may ask, but not in the name of whoever is signed in here.
func (v *Verifier) fromCookie(r *http.Request) (string, error) {
	if v.config.Cookie == "" {
		return "", nil
	}
	cookies := r.CookiesNamed(v.config.Cookie)
	switch {
	case len(cookies) > 1: // another host of our domain may have set one
		return "", invalid(errors.New("the cookie is there more than once"))
	case len(cookies) == 0 || cookies[0].Value == "":
		return "", nil
	case !sameOrigin(r):
		return "", fault.New(fault.Denied, "the cookie %s is believed only in requests of pages of this server "+
			"(Sec-Fetch-Site: same-origin, or its Origin); send the token as an Authorization header", v.config.Cookie)
	}
	return cookies[0].Value, nil
}

// sameOrigin is whether the browser says that a request comes from our own page. A request that
// says nothing is no browser's, or that of one too old to tell.
func sameOrigin(r *http.Request) bool {
	if site := r.Header["Sec-Fetch-Site"]; len(site) > 0 {
		return len(site) == 1 && site[0] == "same-origin"
	}
	origins := r.Header["Origin"]
	if len(origins) != 1 {
		return false
	}
	u, err := url.Parse(origins[0])
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// FromPayload is who opens a connection whose first message has a payload, as a WebSocket's
// connection_init does: {"Authorization": "Bearer …"}, in any case, or {"token": "…"}. A payload with neither leaves
// it to the request that opened the connection.
func (v *Verifier) FromPayload(r *http.Request, payload map[string]any) (*Caller, error) {
	var tokens []string
	for name, value := range payload {
		isHeader := strings.EqualFold(name, "Authorization")
		if value == nil || !isHeader && name != "token" {
			continue
		}
		token, ok := value.(string)
		if isHeader {
			token, ok = bearer(token)
		}
		if !ok || token == "" {
			return nil, invalid(fmt.Errorf("%q of the payload holds no token", name))
		}
		tokens = append(tokens, token)
	}
	switch len(tokens) {
	case 0:
		return v.FromRequest(r)
	case 1:
		return v.Caller(r, tokens[0])
	}
	return nil, invalid(errors.New("the payload holds more than one token"))
}

// Caller is who sends a request with a token that came in some other way; "" is nobody.
func (v *Verifier) Caller(r *http.Request, token string) (*Caller, error) {
	c := &Caller{
		Claims:  map[string]any{},
		Request: Request{IP: v.address(r), Method: r.Method, Header: r.Header},
		Now:     v.config.Now(),
	}
	if token == "" {
		return c, nil
	}
	t, err := v.Verify(r.Context(), token)
	if err != nil {
		return nil, err
	}
	c.Claims, c.Expires, c.SignedIn = t.Claims, t.Expires, true
	return c, nil
}

// address is the IP address of the client: the last one that is no proxy of ours.
func (v *Verifier) address(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	client := peer.Addr().Unmap()
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(forwarded) - 1; i >= 0 && v.isProxy(client); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(forwarded[i]))
		if err != nil {
			break
		}
		client = next.Unmap()
	}
	return client.String()
}

func (v *Verifier) isProxy(a netip.Addr) bool {
	for _, p := range v.config.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
