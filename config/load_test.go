package config

import (
	"bytes"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// load is Load in a folder where spacecloud.yaml is text, or is not when text is empty.
func load(t *testing.T, text string, environ, args []string) (Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if text != "" {
		if err := os.WriteFile(defaultFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set := flag.NewFlagSet("serve", flag.ContinueOnError)
	Flags(set)
	if err := Parse(set, args); err != nil {
		t.Fatal(err)
	}
	return Load(set, environ)
}

func standardConfig() Config {
	return Config{
		Listen: "127.0.0.1:4122", Schema: "schema", Data: "data", Introspection: true,
		Databases: map[string]Database{"main": {URL: "sqlite:data/main.db"}},
		Auth:      Auth{Claims: map[string]string{"id": "sub"}},
		Limits: Limits{
			Depth: 12, Complexity: 10000, Aliases: 50, Tokens: 5000,
			Body: 1 << 20, Rows: 1000, Keys: 10_000, Live: 100, Timeout: 10 * time.Second, Sockets: 100, Operations: 100,
		},
	}
}

func TestNothingGivenIsTheDefaultsAndServes(t *testing.T) {
	c, err := load(t, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(standardConfig(), c, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestLoad(t *testing.T) {
	secretKey := []Key{{Alg: "HS256", Secret: "s3cr3t"}}
	for _, test := range []struct {
		name    string
		file    string
		environ []string
		args    []string
		want    func(*Config)
	}{
		{
			"the file wins over the defaults", "listen: localhost:1\nlimits: {depth: 3, body: 5MB, timeout: 1m30s}", nil, nil,
			func(c *Config) {
				c.File, c.Listen = defaultFile, "localhost:1"
				c.Limits.Depth, c.Limits.Body, c.Limits.Timeout = 3, 5e6, 90*time.Second
			},
		},
		{
			"the environment wins over the file", "listen: localhost:1",
			[]string{"SPACECLOUD_LISTEN=localhost:2"},
			nil,
			func(c *Config) { c.File, c.Listen = defaultFile, "localhost:2" },
		},
		{
			"flags win over the environment", "listen: localhost:1",
			[]string{"SPACECLOUD_LISTEN=localhost:2"},
			[]string{"--listen", "localhost:3"},
			func(c *Config) { c.File, c.Listen = defaultFile, "localhost:3" },
		},
		{
			"a flag that is not given does not win", "listen: localhost:1\nproduction: true", nil,
			[]string{"--data=d"},
			func(c *Config) {
				c.File, c.Listen, c.Production, c.Introspection, c.Data = defaultFile, "localhost:1", true, false, "d"
				c.Databases["main"] = Database{URL: "sqlite:d/main.db"}
			},
		},
		{
			"introspection can be asked for in production", "",
			[]string{"SPACECLOUD_INTROSPECTION=true"},
			[]string{"--production"},
			func(c *Config) { c.Production = true },
		},
		{
			"a key of a group has a flag, too", "trusted: {documents: a}",
			[]string{"SPACECLOUD_TRUSTED_DOCUMENTS=b"},
			[]string{"--trusted-documents", "c"},
			func(c *Config) { c.File, c.Trusted.Documents = defaultFile, "c" },
		},
		{
			"and a variable", "trusted: {documents: a}",
			[]string{"SPACECLOUD_TRUSTED_DOCUMENTS=b"},
			nil,
			func(c *Config) { c.File, c.Trusted.Documents = defaultFile, "b" },
		},
		{
			"an empty variable sets nothing", "", []string{"SPACECLOUD_LISTEN="}, nil, func(*Config) {},
		},
		{
			"a key with nothing after it sets nothing", "listen:\ndatabases:\n  main:\nlimits: ~\n", nil, nil,
			func(c *Config) { c.File = defaultFile },
		},
		{"an empty file sets nothing", "# only this\n", nil, nil, func(c *Config) { c.File = defaultFile }},
		{
			"variables expand, unquoted inside braces as well", "admin: {secret: ${ADMIN}}\nauth:\n  keys: [{alg: HS256, secret: \"${A}3cr${B}t\"}]\nlimits: {rows: ${ROWS}}",
			[]string{"ADMIN=a: b # c", "A=s", "B=3", "ROWS=7"},
			nil,
			func(c *Config) {
				c.File, c.Admin.Secret, c.Auth.Keys, c.Limits.Rows = defaultFile, "a: b # c", secretKey, 7
			},
		},
		{
			"other dollars stay", "admin: {secret: 'a$b$$c$${D}'}",
			[]string{"D=no"},
			nil,
			func(c *Config) { c.File, c.Admin.Secret = defaultFile, "a$b$$c${D}" },
		},
		{
			"what a variable holds is not expanded again", "admin: {secret: ${A}}",
			[]string{"A=${B}"},
			nil,
			func(c *Config) { c.File, c.Admin.Secret = defaultFile, "${B}" },
		},
		{
			"names come out of variables", "",
			[]string{"SPACECLOUD_DATABASES_MAIN_URL=sqlite:m", "SPACECLOUD_DATABASES_MY_SHOP_URL=sqlite:s", "SPACECLOUD_AUTH_CLAIMS_ROLE=app.role"},
			nil,
			func(c *Config) {
				c.Databases = map[string]Database{"main": {URL: "sqlite:m"}, "my_shop": {URL: "sqlite:s"}}
				c.Auth.Claims["role"] = "app.role"
			},
		},
		{
			"a name keeps the capitals of the file", "databases: {MyShop: {url: sqlite:a}}",
			[]string{"SPACECLOUD_DATABASES_MYSHOP_URL=sqlite:b"},
			nil,
			func(c *Config) {
				c.File, c.Databases = defaultFile, map[string]Database{"MyShop": {URL: "sqlite:b"}}
			},
		},
		{
			"keys are numbered in variables", "auth: {keys: [{alg: HS256, secret: old}]}",
			[]string{"SPACECLOUD_AUTH_KEYS_0_SECRET=s3cr3t", "SPACECLOUD_AUTH_KEYS_1_ALG=HS512", "SPACECLOUD_AUTH_KEYS_1_SECRET=two"},
			nil,
			func(c *Config) {
				c.File, c.Auth.Keys = defaultFile, []Key{secretKey[0], {Alg: "HS512", Secret: "two"}}
			},
		},
		{
			"lists have commas in variables, and replace the file's", "origins: [http://x]",
			[]string{"SPACECLOUD_ORIGINS=https://a, https://b"},
			nil,
			func(c *Config) { c.File, c.Origins = defaultFile, []string{"https://a", "https://b"} },
		},
		{
			"published keys, a cookie and proxies", "",
			[]string{
				"SPACECLOUD_AUTH_KEYS_0_JWKS=https://x/keys", "SPACECLOUD_AUTH_KEYS_0_ALGS=RS256, ES256", "SPACECLOUD_AUTH_KEYS_0_ISSUER=https://x/",
				"SPACECLOUD_AUTH_COOKIE_NAME=session", "SPACECLOUD_PROXIES=10.0.0.1,fd00::/8",
			},
			nil,
			func(c *Config) {
				c.Auth.Keys = []Key{{JWKS: "https://x/keys", Algs: []string{"RS256", "ES256"}, Issuer: "https://x/"}}
				c.Auth.Cookie.Name, c.Proxies = "session", []string{"10.0.0.1", "fd00::/8"}
			},
		},
		{
			"a key in PEM has lines, in the file and in a variable", "auth:\n  keys:\n  - alg: RS256\n    public: |\n      -----BEGIN\n      AA\n  - alg: RS256\n    public: ${PEM}\n",
			[]string{"PEM=-----BEGIN\nBB\n"},
			nil,
			func(c *Config) {
				c.File, c.Auth.Keys = defaultFile, []Key{{Alg: "RS256", Public: "-----BEGIN\nAA\n"}, {Alg: "RS256", Public: "-----BEGIN\nBB\n"}}
			},
		},
		{
			"a text keeps how it is written", "auth:\n  keys:\n  - alg: HS256\n    id: 0123\n    secret: 1_000\n    issuer: true\n    audience: |\n      a\n      b\n", nil, nil,
			func(c *Config) {
				c.File, c.Auth.Keys = defaultFile, []Key{{Alg: "HS256", ID: "0123", Secret: "1_000", Issuer: "true", Audience: "a\nb\n"}}
			},
		},
		{
			"variables that Kubernetes makes for a service of our name are not ours", "",
			[]string{"SPACECLOUD_PORT=tcp://10.0.0.1:80", "SPACECLOUD_SERVICE_HOST=10.0.0.1", "SPACECLOUD_SERVICE_PORT_HTTP=80", "SPACECLOUD_PORT_80_TCP_ADDR=10.0.0.1"},
			nil,
			func(*Config) {},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := load(t, test.file, test.environ, test.args)
			if err != nil {
				t.Fatal(err)
			}
			want := standardConfig()
			test.want(&want)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, test := range []struct {
		file    string
		environ []string
		want    string
	}{
		{"lissen: x", nil, "spacecloud.yaml:1:1: lissen is not a setting; did you mean listen?"},
		{"limits:\n  depht: 3", nil, "spacecloud.yaml:2:3: limits.depht is not a setting; did you mean depth?"},
		{"admin: {qqqqqq: 3}", nil, "spacecloud.yaml:1:9: admin.qqqqqq is not a setting; there are secret"},
		{"databases: {main: {uri: x}}", nil, "spacecloud.yaml:1:20: databases.main.uri is not a setting; did you mean url?"},
		{"databases: {my-db: {url: x}}", nil, `spacecloud.yaml:1:13: "my-db" cannot be a name in databases: use letters, digits and _, a letter first`},
		{"limits: {depth: twelve}", nil, `spacecloud.yaml:1:17: limits.depth wants a whole number, not "twelve"`},
		{"limits: {depth: 1.5}", nil, `spacecloud.yaml:1:17: limits.depth wants a whole number, not "1.5"`},
		{"limits: {body: 1 MiBs}", nil, `spacecloud.yaml:1:16: limits.body wants a size such as 1MiB, 5MB or 1024, not "1 MiBs"`},
		{"limits: {body: 99999999999GiB}", nil, `spacecloud.yaml:1:16: limits.body wants a size such as 1MiB, 5MB or 1024, not "99999999999GiB"`},
		{"limits: {timeout: 10}", nil, `spacecloud.yaml:1:19: limits.timeout wants a duration such as 10s or 1m30s, not "10"`},
		{"production: yes", nil, `spacecloud.yaml:1:13: production wants true or false, not "yes"`},
		{"limits: 3", nil, "spacecloud.yaml:1:9: limits wants keys of its own (depth, complexity, aliases, tokens, body, rows, keys, live, timeout, sockets, operations, rate), not one value"},
		{"listen: [a]", nil, "spacecloud.yaml:1:9: listen wants one value, not a list"},
		{"listen: {a: b}", nil, "spacecloud.yaml:1:9: listen wants one value, not keys"},
		{"origins: http://x", nil, "spacecloud.yaml:1:10: origins wants a list, not one value"},
		{"origins: [[a]]", nil, "spacecloud.yaml:1:11: origins wants a plain value here; anchors, aliases and tags are not read"},
		{"databases: sqlite:x", nil, "spacecloud.yaml:1:12: databases wants names, each with its own value, not one value"},
		{"text", nil, "spacecloud.yaml:1:1: the file wants keys of its own (listen, schema, data, production, introspection, admin, databases, auth, nats, origins, proxies, files, limits, trusted), not one value"},
		{"listen: &a x\ndata: *a", nil, "spacecloud.yaml:1:9: listen wants a plain value here; anchors, aliases and tags are not read\nspacecloud.yaml:2:7: data wants a plain value here; anchors, aliases and tags are not read"},
		{"<<: {listen: x}", nil, "spacecloud.yaml:1:1: a key must be plain text; merge keys are not read"},
		{"listen: a\nlisten: b", nil, `spacecloud.yaml:2:1: mapping key "listen" already defined at [1:1]`},
		{"listen: a\n---\ndata: b", nil, "spacecloud.yaml: holds 2 YAML documents; put all settings into one"},
		{"admin: {secret: ${NOPE}}", nil, "spacecloud.yaml:1:17: admin.secret: the environment variable NOPE is not set"},
		{"admin: {secret: '${NO PE}'}", nil, "spacecloud.yaml:1:17: admin.secret: after ${ a variable's name and } are missing; write $${ for the text itself"},
		{"a\ufdd0: b", nil, "spacecloud.yaml: holds a character (U+FDD0 to U+FDD2) that is not for text"},
		{"nats: {url: nats://x}", nil, "spacecloud.yaml:1:1: nats is not served yet; take it out"},
		{"files: {url: file:x}", nil, "spacecloud.yaml:1:1: files is not served yet; take it out"},
		{"auth: {keys: [{jwsk: https://x}]}", nil, "spacecloud.yaml:1:16: auth.keys.0.jwsk is not a setting; did you mean jwk?"},
		{"auth: {keys: [{jwk: {kty: RSA}}]}", nil, "spacecloud.yaml:1:21: auth.keys.0.jwk wants one value, not keys"},
		{"auth: {cookie: session}", nil, "spacecloud.yaml:1:16: auth.cookie wants keys of its own (name), not one value"},
		{"limits: {rate: 10/s}", nil, "spacecloud.yaml:1:10: limits.rate is not served yet; take it out"},
		{"", []string{"SPACECLOUD_NATS_URL=nats://x"}, "SPACECLOUD_NATS_URL: nats is not served yet; take it out"},
		{"", []string{"SPACECLOUD_LIMIT_DEPTH=3"}, "SPACECLOUD_LIMIT_DEPTH: is not a setting; did you mean SPACECLOUD_LIMITS_DEPTH?"},
		{"", []string{"SPACECLOUD_Listen=x"}, "SPACECLOUD_Listen: is not a setting; did you mean SPACECLOUD_LISTEN?"},
		{"", []string{"SPACECLOUD_CONFGI=x"}, "SPACECLOUD_CONFGI: is not a setting; did you mean SPACECLOUD_CONFIG?"},
		{"", []string{"SPACECLOUD_DATABASE_MAIN_URL=x"}, "SPACECLOUD_DATABASE_MAIN_URL: is not a setting; did you mean SPACECLOUD_DATABASES_MAIN_URL?"},
		{"", []string{"SPACECLOUD_WHATEVER_ELSE_THERE_IS=x"}, "SPACECLOUD_WHATEVER_ELSE_THERE_IS: is not a setting; `spacecloud config check` prints those there are"},
		{"", []string{"SPACECLOUD_LIMITS_DEPTH=x"}, `SPACECLOUD_LIMITS_DEPTH: limits.depth wants a whole number, not "x"`},
		{"", []string{"SPACECLOUD_AUTH_KEYS_2_ALG=HS256"}, "SPACECLOUD_AUTH_KEYS_2_ALG: auth.keys.2.alg is numbered 2, but the next number is 0"},
		{"", []string{"SPACECLOUD_CONFIG=absent.yaml"}, "absent.yaml: the settings file cannot be read: no such file or directory"},
	} {
		t.Run(test.want, func(t *testing.T) {
			_, err := load(t, test.file, test.environ, nil)
			if got := fmt.Sprint(err); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if !errors.As(err, new(Problems)) {
				t.Errorf("%T is not Problems", err)
			}
		})
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	_, err := load(t, "lissen: x\nlimits: {depth: a}", []string{"SPACECLOUD_NATS_URL=x"}, nil)
	var problems Problems
	if errors.As(err, &problems); len(problems) != 3 {
		t.Errorf("%d problems:\n%v", len(problems), err)
	}
}

func TestConfigFlagNamesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "other.yaml")
	if err := os.WriteFile(file, []byte("data: elsewhere"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(t, "data: here", []string{"SPACECLOUD_CONFIG=absent"}, []string{"--config", file})
	if err != nil || c.Data != "elsewhere" || c.File != file {
		t.Errorf("%q of %q: %v", c.Data, c.File, err)
	}
}

func TestParseSuggestsAFlag(t *testing.T) {
	set := flag.NewFlagSet("serve", flag.ContinueOnError)
	Flags(set)
	for want, args := range map[string][]string{
		"--lisen is not a flag of this command; did you mean --listen?": {"--lisen", "x"},
		"flag needs an argument: -data":                                 {"--data"},
		"flag: help requested":                                          {"-h"},
	} {
		if err := Parse(set, args); fmt.Sprint(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestPrintSaysWhatIsInForceAndWhy(t *testing.T) {
	c, err := load(t, `
databases: {docs: {url: "postgres://ann:pw@db/x?sslmode=off&password=pw"}, main: {url: sqlite:m.db}}
auth:
  keys:
  - {alg: HS256, secret: hidden, id: a}
  - {alg: HS512, secret: hidden}
  - {jwk: hidden}
  - {jwks: "https://ann:pw@x/keys", algs: [RS256, ES256]}
  cookie: {name: session}
origins: [https://a.example, "null"]
proxies: [10.0.0.0/8]
`, []string{"SPACECLOUD_ADMIN_SECRET=hidden"}, []string{"--listen=localhost:9"})
	if err != nil {
		t.Fatal(err)
	}
	want := `# Flags win, then the environment, then spacecloud.yaml.
listen: localhost:9                                           # --listen
schema: schema                                                # default
data: data                                                    # default
production: false                                             # default
introspection: true                                           # default
admin:
  secret: "********"                                          # SPACECLOUD_ADMIN_SECRET
databases:
  docs:
    url: postgres://ann:********@db/x?sslmode=off&password=********  # spacecloud.yaml:2:25
  main:
    url: sqlite:m.db                                          # spacecloud.yaml:2:88
auth:
  keys:
    - alg: HS256                                              # spacecloud.yaml:5:11
      id: a                                                   # spacecloud.yaml:5:38
      secret: "********"                                      # spacecloud.yaml:5:26
    - alg: HS512                                              # spacecloud.yaml:6:11
      secret: "********"                                      # spacecloud.yaml:6:26
    - jwk: "********"                                         # spacecloud.yaml:7:11
    - algs: [RS256, ES256]                                    # spacecloud.yaml:8:43
      jwks: https://ann:********@x/keys                       # spacecloud.yaml:8:12
  claims:
    id: sub                                                   # default
  cookie:
    name: session                                             # spacecloud.yaml:9:18
origins: [https://a.example, "null"]                          # spacecloud.yaml:10:10
proxies: [10.0.0.0/8]                                         # spacecloud.yaml:11:10
limits:
  depth: 12                                                   # default
  complexity: 10000                                           # default
  aliases: 50                                                 # default
  tokens: 5000                                                # default
  body: 1MiB                                                  # default
  rows: 1000                                                  # default
  keys: 10000                                                 # default
  live: 100                                                   # default
  timeout: 10s                                                # default
  sockets: 100                                                # default
  operations: 100                                             # default
`
	if diff := cmp.Diff(want, c.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A public key prints; what somebody put in its place by mistake does not.
func TestOnlyPublicKeysPrint(t *testing.T) {
	block := func(kind string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte("hidden")}))
	}
	for text, shown := range map[string]bool{
		"": true, block("PUBLIC KEY"): true, block("RSA PUBLIC KEY"): true, "\n" + block("CERTIFICATE") + "\n": true,
		block("PRIVATE KEY"): false, block("RSA PRIVATE KEY"): false, block("EC PRIVATE KEY"): false, block("ENCRYPTED PRIVATE KEY"): false,
		block("PUBLIC KEY") + block("PRIVATE KEY"): false, block("PRIVATE KEY") + block("PUBLIC KEY"): false,
		"hidden": false, "hidden\n" + block("PUBLIC KEY"): false, block("PUBLIC KEY") + "hidden": false, block("PRIVATE KEY")[:40]: false,
	} {
		c := Config{Auth: Auth{Keys: []Key{{Public: PEM(text)}}}}
		for _, said := range []string{c.String(), fmt.Sprintf("%#v", c.Auth), fmt.Sprint(c.Auth)} {
			if got := !strings.Contains(said, mask); got != shown {
				t.Errorf("%q prints as %s", text, said)
			}
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := Config{
		Admin:     Admin{Secret: "hidden"},
		Databases: map[string]Database{"main": {URL: "postgres://u:hidden@h/d?api_key=hidden"}, "bad": {URL: "x://:hidden@%zz"}},
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, "hidden") {
			t.Errorf("%s tells: %s", verb, text)
		}
	}
	if text := fmt.Sprintf("%v %#v", c.Admin, c.Databases); strings.Contains(text, "hidden") {
		t.Error(text)
	}
}

// What Print writes is a file that Load reads as the same settings.
func TestPrintedSettingsLoadAgain(t *testing.T) {
	law := func(listen, data, issuer, origin string, depth int, body int64, timeout time.Duration) bool {
		c := standardConfig()
		c.Listen, c.Data, c.Origins = clean(listen), clean(data), []string{clean(origin), "x"}
		c.Limits.Depth, c.Limits.Body, c.Limits.Timeout = depth, Size(body&(1<<62-1)), timeout
		c.Auth.Keys = []Key{{Alg: "HS256", Issuer: clean(issuer)}}
		settings, problems := readSettings("f", []byte(strings.ReplaceAll(c.String(), "${", "$${")), nil)
		l := loader{given: settings, problems: problems}
		got := l.config()
		if l.problems != nil {
			t.Log(l.problems, "\n", c)
			return false
		}
		diff := cmp.Diff(c, got, cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty())
		if diff != "" {
			t.Log(diff)
		}
		return diff == ""
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
}

// clean is text that a settings file may hold; it is not empty, for that prints as not set.
func clean(text string) string {
	return "." + string(bytes.Map(func(r rune) rune {
		if r >= opening && r <= escaped || r == 0xFFFD {
			return -1
		}
		return r
	}, []byte(text)))
}

func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"listen: a", "admin: {secret: ${A}}", "auth: {keys: [{alg: x}, {jwks: y}, {public: z}, {jwk: '{}', algs: [HS256]}], cookie: {name: ' '}}", "proxies: [10.0.0.1, '::1/8', x]", "limits:\n  body: 1MiB\n",
		"a: &b [*b]", "? x\n: y", "- 1\n-", "a: |\n  x", "x: !!str 1", "\"\\uD800\": 1", "{a: ${", "$${A}: '${B}'",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, text []byte) {
		settings, problems := readSettings("f", text, map[string]string{"A": "1"})
		l := loader{given: settings, problems: problems}
		c := l.config()
		_, _ = c.Validate(), c.String()
	})
}
