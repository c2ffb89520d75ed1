package auth

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
)

// FromRequest is who sends a request: nobody without an Authorization header, and a
// fault.Unauthenticated with one that is not good, also where none is needed.
func (v *Verifier) FromRequest(r *http.Request) (*Caller, error) {
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
		return v.Caller(r, "")
	case 1:
		if token, ok := bearer(headers[0]); ok {
			return v.Caller(r, token)
		}
	}
	return nil, invalid(errors.New(`the Authorization header is not one "Bearer …"`))
}

// Caller is who sends a request with a token that came in some other way, as in the first
// message of a WebSocket; "" is nobody.
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
