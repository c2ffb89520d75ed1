package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"spacecloud/auth"
)

// signer is who holds a private key.
type signer struct {
	alg, kid string
	private  crypto.Signer
}

// rsaKeys are made once: they take long.
var rsaKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	keys := make([]*rsa.PrivateKey, 2)
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return keys
})

// newSigner makes a key for alg. An RSA key is the same for a kid that ends in the same letter
// as another's, or one of two.
func newSigner(t testing.TB, alg, kid string) *signer {
	t.Helper()
	s := &signer{alg: alg, kid: kid}
	var err error
	switch alg {
	case "ES256":
		s.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		s.private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		s.private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, s.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		s.private = rsaKeys()[0]
		if strings.HasSuffix(kid, "two") {
			s.private = rsaKeys()[1]
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *signer) token(t testing.TB, claims map[string]any) string {
	t.Helper()
	if s.kid == "" {
		return sign(t, jwt.GetSigningMethod(s.alg), s.private, claims)
	}
	return sign(t, jwt.GetSigningMethod(s.alg), s.private, claims, "kid", s.kid)
}

func (s *signer) key() auth.Key {
	return auth.Key{Alg: s.alg, ID: s.kid, Public: s.private.Public()}
}

func (s *signer) pem(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func (s *signer) certificate(t testing.TB) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"}, NotAfter: noon}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.private.Public(), s.private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwk is the public key as an issuer publishes it.
func (s *signer) jwk() map[string]any {
	j := map[string]any{"kid": s.kid, "alg": s.alg, "use": "sig"}
	switch k := s.private.Public().(type) {
	case *rsa.PublicKey:
		j["kty"], j["n"], j["e"] = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
	case *ecdsa.PublicKey:
		point, _ := k.Bytes() // of a named curve it does not fail
		half := len(point) / 2
		j["kty"], j["crv"], j["x"], j["y"] = "EC", k.Params().Name, b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		j["kty"], j["crv"], j["x"] = "OKP", "Ed25519", b64(k)
	}
	return j
}

// with is a JWK with other members; nil takes one away.
func with(j map[string]any, changes map[string]any) map[string]any {
	for name, value := range changes {
		j[name] = value
		if value == nil {
			delete(j, name)
		}
	}
	return j
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A token is good by the key that signed it, for the one algorithm of that key, however
// the key is given.
func TestAlgorithms(t *testing.T) {
	for _, alg := range auth.Public() {
		t.Run(alg, func(t *testing.T) {
			s := newSigner(t, alg, "k-one")
			public, err := auth.ParsePEM(s.pem(t))
			if err != nil {
				t.Fatal(err)
			}
			fromJWK, err := auth.ParseJWK(text(t, s.jwk()), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range []auth.Key{s.key(), {Alg: alg, Public: public}, fromJWK} {
				v := verifier(t, auth.Config{Keys: []auth.Key{key}})
				if _, err := v.Verify(context.Background(), s.token(t, map[string]any{"sub": "ann"})); err != nil {
					t.Error(err)
				}
				for _, other := range auth.Public() {
					if _, several := s.private.(*rsa.PrivateKey); !several || other == alg || other[0] == 'E' {
						continue // the private key cannot even sign by it
					}
					swapped := &signer{other, s.kid, s.private}
					if _, err := v.Verify(context.Background(), swapped.token(t, nil)); err == nil {
						t.Errorf("a token of %s is good by a key for %s", other, alg)
					}
				}
			}
		})
	}
	for _, size := range []struct {
		alg   string
		bytes int
	}{{"HS256", 32}, {"HS384", 48}, {"HS512", 64}} {
		key := auth.Key{Alg: size.alg, Secret: make([]byte, size.bytes)}
		token, err := auth.Mint(key, nil, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier(t, auth.Config{Keys: []auth.Key{key}, Now: time.Now}).Verify(context.Background(), token); err != nil {
			t.Error(size.alg, err)
		}
		key.Secret = key.Secret[1:]
		if key.Validate() == nil {
			t.Errorf("%s takes %d bytes", size.alg, len(key.Secret))
		}
	}
}

// Who knows a public key cannot sign by it, whatever the token calls the algorithm.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	s := newSigner(t, "RS256", "one")
	v := verifier(t, auth.Config{Keys: []auth.Key{s.key(), {Alg: "HS256", ID: "shared", Secret: secret}}})
	der, err := x509.MarshalPKIXPublicKey(s.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := s.private.Public().(*rsa.PublicKey)
	for _, known := range [][]byte{[]byte(s.pem(t)), der, public.N.Bytes(), []byte(text(t, s.jwk())), {}} {
		for _, kid := range []string{"one", "shared", "other"} {
			forged := sign(t, jwt.SigningMethodHS256, known, map[string]any{"sub": "admin"}, "kid", kid)
			if _, err := v.Verify(context.Background(), forged); err == nil {
				t.Errorf("signed with %q as %s it is good", known, kid)
			}
		}
	}
}

func TestKeysByID(t *testing.T) {
	one, two, third := newSigner(t, "RS256", "one"), newSigner(t, "RS256", "two"), newSigner(t, "ES256", "")
	v := verifier(t, auth.Config{Keys: []auth.Key{one.key(), two.key(), third.key()}})
	for _, test := range []struct {
		name  string
		token string
		good  bool
	}{
		{"the first", one.token(t, nil), true},
		{"the second", two.token(t, nil), true},
		{"the second as the first", (&signer{"RS256", "one", two.private}).token(t, nil), false},
		{"a stranger's kid", (&signer{"RS256", "three", two.private}).token(t, nil), false},
		{"without a kid", (&signer{"RS256", "", two.private}).token(t, nil), true},
		{"a key of any kid", (&signer{"ES256", "whatever", third.private}).token(t, nil), true},
	} {
		if _, err := v.Verify(context.Background(), test.token); (err == nil) != test.good {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestBadKeys(t *testing.T) {
	rsaKey, ec, ed := newSigner(t, "RS256", "one"), newSigner(t, "ES256", "one"), newSigner(t, "EdDSA", "one")
	private, err := x509.MarshalPKCS8PrivateKey(rsaKey.private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for name, test := range map[string]struct{ pem, want string }{
		"no PEM":            {"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "is no PEM"},
		"cut off":           {rsaKey.pem(t)[:100], "is no PEM"},
		"private":           {block("PRIVATE KEY", private), "is a private key"},
		"private of RSA":    {block("RSA PRIVATE KEY", private), "is a private key"},
		"two":               {rsaKey.pem(t) + rsaKey.pem(t), "holds more than one PEM block"},
		"something else":    {block("CERTIFICATE REQUEST", private), `is a PEM block of "CERTIFICATE REQUEST"`},
		"a key of other":    {block("PUBLIC KEY", private), "cannot be read"},
		"a bad certificate": {block("CERTIFICATE", private), "cannot be read"},
	} {
		if _, err := auth.ParsePEM(test.pem); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	if public, err := auth.ParsePEM(rsaKey.certificate(t)); err != nil || !rsaKey.private.Public().(*rsa.PublicKey).Equal(public) {
		t.Error(err)
	}
	pkcs1 := block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(rsaKey.private.Public().(*rsa.PublicKey)))
	if _, err := auth.ParsePEM(pkcs1); err != nil {
		t.Error(err)
	}

	small := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}
	large := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 8192), E: 65537}
	for want, key := range map[string]auth.Key{
		"RS256 needs an RSA key, and this is a key on the curve P-256":               {Alg: "RS256", Public: ec.private.Public()},
		"ES256 needs a key on the curve P-256, and this is an Ed25519 key":           {Alg: "ES256", Public: ed.private.Public()},
		"ES384 needs a key on the curve P-384, and this is a key on the curve P-256": {Alg: "ES384", Public: ec.private.Public()},
		"EdDSA needs an Ed25519 key, and this is an RSA key":                         {Alg: "EdDSA", Public: rsaKey.private.Public()},
		"PS256 needs an RSA key, and this is a secret":                               {Alg: "PS256", Secret: secret},
		"HS256 signs with a secret, and this is a public key":                        {Alg: "HS256", Secret: secret, Public: ec.private.Public()},
		"the RSA key has 1024 bits; they have to be 2048 to 8192":                    {Alg: "RS256", Public: small},
		"the RSA key has 8193 bits; they have to be 2048 to 8192":                    {Alg: "RS256", Public: large},
		"the exponent of the RSA key is not odd, or too small":                       {Alg: "RS256", Public: &rsa.PublicKey{N: rsaKeys()[0].N, E: 1}},
	} {
		if err := key.Validate(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestJWK(t *testing.T) {
	rsaKey, ec, ed := newSigner(t, "RS256", "one"), newSigner(t, "ES256", "one"), newSigner(t, "EdDSA", "one")
	type object = map[string]any
	for _, test := range []struct {
		name string
		jwk  any
		alg  string
		want string // "" is good
	}{
		{"an algorithm of the settings", with(rsaKey.jwk(), object{"alg": nil}), "PS512", ""},
		{"both agree", rsaKey.jwk(), "RS256", ""},
		{"a secret", object{"kty": "oct", "k": b64(secret), "alg": "HS256", "key_ops": []string{"sign", "verify"}}, "", ""},
		{"no algorithm", with(rsaKey.jwk(), object{"alg": nil}), "", "does not name its algorithm"},
		{"they do not agree", rsaKey.jwk(), "RS512", `is for the algorithm "RS256", not for RS512`},
		{"for encryption", with(rsaKey.jwk(), object{"use": "enc"}), "", `is for "enc", not for signatures`},
		{"not for verifying", with(rsaKey.jwk(), object{"key_ops": []string{"encrypt"}}), "", "is not for verifying"},
		{"for nothing", with(rsaKey.jwk(), object{"key_ops": []string{}}), "", "is not for verifying"},
		{"private", with(ec.jwk(), object{"d": "AAAA"}), "", "is a private key"},
		{"an encryption algorithm", with(rsaKey.jwk(), object{"alg": "RSA-OAEP"}), "", `unknown algorithm "RSA-OAEP"`},
		{"another kind of key", with(ec.jwk(), object{"alg": "RS256"}), "", "RS256 needs an RSA key"},
		{"a secret as a public key", object{"kty": "oct", "k": b64(secret), "alg": "RS256"}, "", "RS256 needs an RSA key, and this is a secret"},
		{"an unknown kind", object{"kty": "XYZ", "alg": "RS256"}, "", `is of an unknown kind, "XYZ"`},
		{"an unknown curve", with(ec.jwk(), object{"crv": "secp256k1"}), "", "is on an unknown curve"},
		{"another Edwards curve", with(ed.jwk(), object{"crv": "X25519"}), "", "is on an unknown curve"},
		{"off the curve", with(ec.jwk(), object{"x": b64(make([]byte, 32))}), "", "is no point on its curve"},
		{"a short coordinate", with(ec.jwk(), object{"x": b64(make([]byte, 31))}), "", "has coordinates of another length"},
		{"a short Edwards key", with(ed.jwk(), object{"x": b64(make([]byte, 31))}), "", "EdDSA needs an Ed25519 key"},
		{"no modulus", with(rsaKey.jwk(), object{"n": nil}), "", "lacks a part"},
		{"no base64", with(rsaKey.jwk(), object{"n": "+/+/"}), "", "lacks a part"},
		{"a large modulus", with(rsaKey.jwk(), object{"n": b64(make([]byte, 1<<16))}), "", "is larger than any RSA key"},
		{"a large exponent", with(rsaKey.jwk(), object{"e": b64([]byte{1, 0, 0, 0, 1})}), "", "is larger than any RSA key"},
		{"a kid that is a number", with(rsaKey.jwk(), object{"kid": 7}), "", "is no JWK: kid is of a wrong type"},
		{"a list", []string{"secret!"}, "", "is no JWK: "},
	} {
		_, err := auth.ParseJWK(text(t, test.jwk), test.alg)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.want && (test.want == "" || !strings.HasPrefix(got, test.want)) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if _, err := auth.ParseJWK(`{"kty": "oct", "k": "secret!`, ""); err == nil || strings.Contains(err.Error(), "secret!") {
		t.Error(err)
	}
}

func BenchmarkVerify(b *testing.B) {
	claims := map[string]any{"sub": "ann", "role": "staff", "exp": noon.Add(time.Hour).Unix(), "app_metadata": map[string]any{"teams": []string{"a", "b"}}}
	remembered := hs256(b, claims)
	b.Run("remembered", func(b *testing.B) { verifyAll(b, verifier(b, auth.Config{}), remembered) })
	b.Run("HS256", func(b *testing.B) { verifyAll(b, verifier(b, auth.Config{Cached: 1}), remembered, hs256(b, nil)) })
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		s := newSigner(b, alg, "one")
		v := verifier(b, auth.Config{Keys: []auth.Key{s.key()}, Cached: 1})
		b.Run(alg, func(b *testing.B) { verifyAll(b, v, s.token(b, claims), s.token(b, map[string]any{"sub": "bob"})) })
	}
}

// verifyAll asks for the tokens in turn: with a memory of one, two are never remembered.
func verifyAll(b *testing.B, v *auth.Verifier, tokens ...string) {
	b.Helper()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		if _, err := v.Verify(context.Background(), tokens[i%len(tokens)]); err != nil {
			b.Fatal(err)
		}
	}
}
