package generator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"spacecloud/generator"
)

// apis are the APIs of the stories that have one, by name.
func apis(t testing.TB) map[string]*generator.API {
	t.Helper()
	made := map[string]*generator.API{}
	for _, story := range stories(t) {
		if story.file("api.graphql") == nil {
			continue
		}
		api, err := generator.New(parse(t, string(story.file("schema.graphql").Data)))
		if err != nil {
			t.Fatalf("%s: %v", story.name(), err)
		}
		made[story.name()] = api
	}
	return made
}

func TestTheSameSchemaGivesTheSameAPI(t *testing.T) {
	sdl := bigSchema(8)
	first, err := generator.New(parse(t, sdl))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := generator.New(parse(t, sdl))
		if err != nil {
			t.Fatal(err)
		}
		if again.SDL != first.SDL {
			t.Fatal(firstDifference(first.SDL, again.SDL))
		}
	}
}

// Whatever stands in Query and Mutation has a meaning, and nothing else has.
func TestEveryRootFieldHasAMeaning(t *testing.T) {
	for name, api := range apis(t) {
		sameRoots(t, name, api.Schema.Query, api.Queries)
		sameRoots(t, name, api.Schema.Mutation, api.Mutations)
	}
}

func sameRoots(t *testing.T, name string, root *ast.Definition, meaning map[string]generator.Root) {
	t.Helper()
	fields := map[string]*ast.FieldDefinition{}
	if root != nil {
		for _, f := range root.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				fields[f.Name] = f
			}
		}
	}
	for field := range meaning {
		if fields[field] == nil {
			t.Errorf("%s: %s has a meaning, but is not in the API", name, field)
		}
	}
	for field, f := range fields {
		m, ok := meaning[field]
		if !ok {
			t.Errorf("%s: %s has no meaning", name, field)
			continue
		}
		for _, k := range m.Key {
			if f.Arguments.ForName(k.Name) == nil {
				t.Errorf("%s: %s has no argument for its key %s", name, field, k.Name)
			}
		}
	}
}

// Hidden is hidden in every type, argument and input.
func TestHiddenIsNowhere(t *testing.T) {
	for name, api := range apis(t) {
		for _, def := range api.Schema.Types {
			for _, f := range def.Fields {
				if strings.Contains(strings.ToLower(f.Name), "secret") {
					t.Errorf("%s: %s.%s is shown", name, def.Name, f.Name)
				}
				for _, a := range f.Arguments {
					if strings.Contains(strings.ToLower(a.Name), "secret") {
						t.Errorf("%s: %s.%s(%s:) is shown", name, def.Name, f.Name, a.Name)
					}
				}
			}
		}
	}
}

// graphQLJS says of each SDL on stdin what graphql-js has against it.
const graphQLJS = `
const {buildSchema, validateSchema} = require('graphql');
const sdls = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const found = {};
for (const [name, sdl] of Object.entries(sdls)) {
  try { found[name] = validateSchema(buildSchema(sdl)).map(String); } catch (e) { found[name] = [String(e)]; }
}
process.stdout.write(JSON.stringify(found));
`

func TestGraphQLJSAcceptsTheAPI(t *testing.T) {
	sdls := map[string]string{}
	for name, api := range apis(t) {
		sdls[name] = api.SDL
	}
	input, err := json.Marshal(sdls)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "-e", graphQLJS)
	node.Env = append(os.Environ(), "NODE_PATH="+nodeModules(t))
	node.Stdin = bytes.NewReader(input)
	output, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	var found map[string][]string
	if err := json.Unmarshal(output, &found); err != nil {
		t.Fatal(err)
	}
	if len(found) != len(sdls) {
		t.Fatalf("graphql-js looked at %d of %d APIs", len(found), len(sdls))
	}
	for name, errs := range found {
		for _, e := range errs {
			t.Errorf("%s: %s", name, e)
		}
	}
}

// nodeModules is a folder that holds the package graphql; without one the test is skipped.
func nodeModules(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	folder := os.Getenv("SPACECLOUD_NODE_MODULES")
	if folder == "" {
		folder = filepath.Join("..", "tests", "graphql-http", "node_modules")
	}
	if _, err := os.Stat(filepath.Join(folder, "graphql")); err != nil {
		t.Skipf("no package graphql in %s: install it there, or name a folder in SPACECLOUD_NODE_MODULES", folder)
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}

func TestASchemaThatNobodyCanReadIsRefused(t *testing.T) {
	_, err := generator.New(parse(t, `type Post @auth(create: "true") { id: ID! @primary  title: String }`))
	if err == nil || !strings.Contains(err.Error(), "read rule") {
		t.Fatalf("want an error that asks for a read rule, got %v", err)
	}
}

// An edit of the schema must be live within 100 ms; this is to be a small part of it.
func BenchmarkNew(b *testing.B) {
	s := parse(b, bigSchema(50))
	var api *generator.API
	for b.Loop() {
		var err error
		if api, err = generator.New(s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(api.SDL))/1024, "KiB/API")
}

func BenchmarkTables(b *testing.B) {
	s := parse(b, bigSchema(50))
	for b.Loop() {
		if _, err := generator.Tables(s.Types, "sqlite"); err != nil {
			b.Fatal(err)
		}
	}
}

// bigSchema has n types like those of an app, each with links to the one before it.
func bigSchema(n int) string {
	var b strings.Builder
	b.WriteString("enum Status { DRAFT PUBLISHED ARCHIVED }\ntype Address { street: String!  city: String!  zip: String }\n")
	for i := range n {
		fmt.Fprintf(&b, `
"What number %[1]d is about."
type Thing%[1]d @auth(read: "true", create: "auth.id != ''", update: "doc.ownerId == auth.id", delete: "doc.ownerId == auth.id") {
  id: ID! @primary
  "Part of the address of its page."
  slug: String! @unique
  title: String! @size(max: 200)
  body: String
  ownerId: ID!
  views: Int! @default(value: 0)
  total: Decimal
  big: BigInt
  rating: Float
  active: Boolean! @default(value: true)
  status: Status! @default(value: "DRAFT")
  tags: [String!]!
  meta: JSON
  home: Address
  publishedAt: DateTime
  day: Date
  createdAt: DateTime! @createdAt
  updatedAt: DateTime! @updatedAt
`, i)
		if i > 0 {
			fmt.Fprintf(&b, "  before: Thing%d! @link\n", i-1)
		}
		if i < n-1 {
			fmt.Fprintf(&b, "  after: [Thing%d!]! @link\n", i+1)
		}
		b.WriteString("}\n")
	}
	return b.String()
}
