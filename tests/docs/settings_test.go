package docs

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"spacecloud/auth"
	"spacecloud/config"
	"spacecloud/project"
)

const secret = "the secret of these pages, long enough"

// TestSettings reads every block of "yaml settings". One of "json token" after it is the claims
// of a token that is signed with the first of its keys, or by its issuer, and the block of
// "json auth" after that some of what rules then see.
func TestSettings(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range files {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all := blocks(string(page))
		for i, b := range all {
			if b.info != "yaml settings" {
				continue
			}
			ran++
			c, believed := settings(t, private, b.text)
			if i+2 < len(all) && all[i+1].info == "json token" {
				believes(t, c, believed, private, all[i+1].text, all[i+2].text)
			}
		}
	}
	if ran == 0 {
		t.Fatal("no page has settings, so nothing was read")
	}
}

// settings are what a block says, and what that makes of tokens.
func settings(t *testing.T, private *rsa.PrivateKey, text string) (config.Config, auth.Config) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "spacecloud.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	set := flag.NewFlagSet("serve", flag.ContinueOnError)
	config.Flags(set)
	if err := config.Parse(set, []string{"--config", file}); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(set, []string{
		"JWT_SECRET=" + secret,
		"PUBLIC_KEY=" + string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"JWK=" + jwk(private.Public()),
	})
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	believed, err := project.Auth(c)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return c, believed
}

func jwk(public crypto.PublicKey) string {
	k := public.(*rsa.PublicKey)
	encode := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf(`{"kty":"RSA","alg":"RS256","kid":"one","use":"sig","n":%q,"e":%q}`, encode(k.N.Bytes()), encode(big.NewInt(int64(k.E)).Bytes()))
}

// publishes answers for every issuer.
type publishes struct{ keys string }

// RoundTrip implements http.RoundTripper.
func (p publishes) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(p.keys))}, nil
}

// believes holds what a token becomes.
func believes(t *testing.T, c config.Config, believed auth.Config, private *rsa.PrivateKey, token, want string) {
	t.Helper()
	believed.Transport = publishes{`{"keys":[` + jwk(private.Public()) + `]}`}
	believed.Log = slog.New(slog.DiscardHandler)
	v, err := auth.New(believed)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); v.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	got, err := v.Verify(ctx, signed(t, c.Auth.Keys[0], private, token))
	if err != nil {
		t.Fatalf("%v: %s", err, token)
	}
	var shown map[string]any
	decode(t, want, &shown)
	for name, value := range shown {
		if !reflect.DeepEqual(got.Claims[name], value) {
			t.Errorf("auth.%s is %v, and the page shows %v", name, got.Claims[name], value)
		}
	}
}

// signed is a token with the claims of a page, for an hour.
func signed(t *testing.T, k config.Key, private *rsa.PrivateKey, text string) string {
	t.Helper()
	claims := jwt.MapClaims{"exp": time.Now().Add(time.Hour).Unix()}
	var shown map[string]any
	if err := json.Unmarshal([]byte(text), &shown); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	maps.Copy(claims, shown)
	token, by := jwt.NewWithClaims(jwt.SigningMethodRS256, claims), any(private)
	if k.Secret != "" {
		token, by = jwt.NewWithClaims(jwt.SigningMethodHS256, claims), []byte(secret)
	}
	if k.ID != "" {
		token.Header["kid"] = k.ID
	}
	out, err := token.SignedString(by)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
