package auth

import (
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Mint is a token with the claims, signed by the key, which CanSign. It expires after ttl; zero
// is never.
func Mint(k Key, claims map[string]any, ttl time.Duration) (string, error) {
	if err := k.Validate(); err != nil {
		return "", err
	}
	a, _ := algorithmOf(k.Alg)
	all := jwt.MapClaims{}
	maps.Copy(all, stamps(k, time.Now(), ttl))
	maps.Copy(all, claims)
	token := jwt.NewWithClaims(a.method, all)
	if k.ID != "" {
		token.Header["kid"] = k.ID
	}
	return token.SignedString(k.Secret)
}

// stamps are the claims that the key and the clock say.
func stamps(k Key, now time.Time, ttl time.Duration) map[string]any {
	out := map[string]any{"iat": now.Unix()}
	if ttl > 0 {
		out["exp"] = now.Add(ttl).Unix()
	}
	if k.Issuer != "" {
		out["iss"] = k.Issuer
	}
	if k.Audience != "" {
		out["aud"] = k.Audience
	}
	return out
}
