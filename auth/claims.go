package auth

import (
	"maps"
	"strings"
)

// mapped are a token's claims under the names of the configuration. A named claim that the
// token lacks is absent, also where the token has another of that name: a rule must not read
// what the configuration meant to replace.
func mapped(token map[string]any, names map[string]string) map[string]any {
	claims := maps.Clone(token)
	if _, named := names["id"]; !named {
		if sub, ok := token["sub"]; ok {
			claims["id"] = sub
		}
	}
	for name, path := range names {
		if v, ok := lookup(token, path); ok {
			claims[name] = v
		} else {
			delete(claims, name)
		}
	}
	return claims
}

// lookup follows a path of names joined by dots. A claim whose own name has dots, as the
// URLs of some issuers, is found by all of it.
func lookup(object map[string]any, path string) (any, bool) {
	if v, ok := object[path]; ok {
		return v, true
	}
	for i := range path {
		if path[i] != '.' {
			continue
		}
		if inner, ok := object[path[:i]].(map[string]any); ok {
			return lookup(inner, path[i+1:])
		}
	}
	return nil, false
}

// bearer is the token of an Authorization header.
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	return token, ok && token != "" && strings.EqualFold(scheme, "Bearer")
}
