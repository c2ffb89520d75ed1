package drivertest

import (
	"slices"
	"strings"
	"testing"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// sdl has a column of every scalar and a link of every kind.
const sdl = `
enum Colour { RED GREEN BLUE }
type Address {
  street: String!
  number: Int
  big: BigInt
  price: Decimal
  at: DateTime
  colour: Colour
  raw: Bytes
  tags: [String!]
  meta: JSON
  geo: Geo
}
type Geo { lat: Float  lon: Float }

type Thing @table(plural: "things") {
  id: ID! @primary
  ident: ID
  text: String
  int: Int
  big: BigInt
  float: Float
  decimal: Decimal
  bool: Boolean
  at: DateTime
  day: Date
  clock: Time
  uuid: UUID
  json: JSON
  bytes: Bytes
  colour: Colour
  address: Address
  texts: [String!]
  bigs: [BigInt]
  floats: [Float!]
  times: [DateTime!]
  blobs: [Bytes!]
  addresses: [Address!]
}

type Author {
  id: ID! @primary
  name: String!
  age: Int
  rating: Decimal
  mentorId: ID
  mentor: Author @link(from: "mentorId", to: "id")
  pupils: [Author!]! @link(from: "id", to: "mentorId")
  books: [Book!]! @link(to: "authorId")
  groups: [Group!]! @link(through: "Membership")
  memberships: [Membership!]! @link
}
type Book @unique(fields: ["title", "authorId"]) {
  id: ID! @primary
  title: String!
  pages: Int @index
  price: Decimal
  isbn: String @unique
  author: Author @link
  tags: [Tag!]! @link
}
type Tag { id: ID! @primary @autoIncrement  name: String!  books: [Book!]! @link }
type Group { id: ID! @primary  name: String!  members: [Author!]! @link(through: "Membership") }
type Membership { id: ID! @primary  author: Author! @link  group: Group! @link  since: Date }

type Place { country: String! @primary  number: BigInt! @primary  name: String  visits: [Visit!]! @link }
type Note { id: ID! @primary  title: String! @search  body: String @search  rank: Int }
type Visit { id: ID! @primary  n: Int!  place: Place @link }

type BookCard @view(sql: "SELECT id, title, author_id FROM books WHERE pages IS NOT NULL") {
  id: ID!  title: String!  authorId: ID
}
`

// bench is a database with the suite's tables, and the same rows in memory.
type bench struct {
	testing.TB
	harness Harness
	driver  driver.Driver
	db      *database.DB
	schema  *schema.Schema
	world   *world
	wrong   int // conditions that were answered otherwise than query.Holds says
}

func newBench(t testing.TB, h Harness) *bench {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "suite.graphql", Text: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return benchOf(t, h, s)
}

// benchOf is a new database with the tables of a schema.
func benchOf(t testing.TB, h Harness, s *schema.Schema) *bench {
	t.Helper()
	b := &bench{TB: t, harness: h, driver: h.Open(t), schema: s, world: &world{rows: map[*schema.Type][]*record{}}}
	b.db = database.New("suite", b.driver)
	if !b.driver.Features().ForeignKeys {
		s.WithoutForeignKeys("main")
	}
	h.Create(t, b.driver, s.Types)
	return b
}

func (b *bench) typ(name string) *schema.Type {
	b.Helper()
	t := b.schema.Type(name)
	if t == nil {
		b.Fatalf("the suite has no type %s", name)
	}
	return t
}

// field is "Type.field".
func (b *bench) field(path string) *schema.Field {
	b.Helper()
	typ, name, _ := strings.Cut(path, ".")
	f := b.typ(typ).Field(name)
	if f == nil {
		b.Fatalf("the suite has no field %s", path)
	}
	return f
}

// fields are columns of a type, all of them for none.
func (b *bench) fields(typ string, names ...string) []*schema.Field {
	b.Helper()
	if len(names) == 0 {
		return b.typ(typ).Columns
	}
	fs := make([]*schema.Field, len(names))
	for i, n := range names {
		fs[i] = b.field(typ + "." + n)
	}
	return fs
}

// compares is whether the values of a column compare and sort in this database.
func (b *bench) compares(f *schema.Field) bool {
	return b.driver.Features().DocumentOrder || f.Scalar != schema.JSON && f.Scalar != schema.Embedded
}

// sorts is whether they do so in the order of query.Holds.
func (b *bench) sorts(f *schema.Field) bool {
	return b.compares(f) && (b.driver.Features().BytesOrder || f.Scalar != schema.Bytes)
}

// kept is a value as the database keeps it.
func (b *bench) kept(v schema.Value, f *schema.Field) schema.Value {
	if f.Scalar != schema.DateTime || v.Kind() != schema.TextValue || b.driver.Features().Microseconds {
		return v
	}
	return schema.Text(v.Text()[:len("2026-01-31T13:37:00.000")] + "000Z")
}

func (b *bench) cells(typ string, names ...string) []query.Cell {
	var cs []query.Cell
	for _, f := range b.fields(typ, names...) {
		cs = append(cs, query.Cell{Field: f})
	}
	return cs
}

// row is one row by its columns' names.
type row map[string]any

// insert writes rows to the database and to the world.
func (b *bench) insert(typ string, rows ...row) {
	b.Helper()
	var all []*record
	for _, r := range rows {
		values := make([]schema.Value, len(b.typ(typ).Columns))
		for name, v := range r {
			values[b.field(typ+"."+name).Index] = b.value(typ+"."+name, v)
		}
		all = append(all, &record{b.world, b.typ(typ), values})
	}
	b.store(b.typ(typ), all...)
}

func (b *bench) store(t *schema.Type, all ...*record) {
	b.Helper()
	w := query.Write{Verb: query.Create, Type: t, Columns: t.Columns}
	for _, r := range all {
		w.Rows = append(w.Rows, r.values)
	}
	b.world.rows[t] = append(b.world.rows[t], all...)
	b.write(w, query.Binding{})
}

// value is the canonical value of a field for what JSON would hold.
func (b *bench) value(path string, v any) schema.Value {
	b.Helper()
	if v, ok := v.(schema.Value); ok {
		return v
	}
	f := *b.field(path)
	f.NonNull = false
	value, err := f.Coerce(v)
	if err != nil {
		b.Fatalf("%s: %v", path, err)
	}
	return b.kept(value, &f)
}

// write does one write in a transaction of its own, which must succeed.
func (b *bench) write(w query.Write, binding query.Binding) driver.Written {
	b.Helper()
	done, err := b.tryWrite(w, binding)
	if err != nil {
		b.Fatal(err)
	}
	return done
}

func (b *bench) tryWrite(w query.Write, binding query.Binding) (done driver.Written, err error) {
	err = b.db.Tx(b.Context(), func(tx driver.Tx) error {
		done, err = tx.Write(b.Context(), rules.SystemWrite(w), binding)
		return err
	})
	return done, err
}

// answer is the answer of a level: for each row the parent and the cells as JSON.
func (b *bench) answer(l query.Level, binding query.Binding) []string {
	b.Helper()
	var lines []string
	s := b.prepare(l)
	err := b.db.View(b.Context(), func(r driver.Reader) (err error) {
		lines, err = b.read(r, s, l, binding)
		return err
	})
	if err != nil {
		b.Fatalf("%v\n%s", err, s)
	}
	return lines
}

func (b *bench) prepare(l query.Level) driver.Statement {
	b.Helper()
	s, err := b.db.Prepare(rules.System(l))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (b *bench) read(r driver.Reader, s driver.Statement, l query.Level, binding query.Binding) ([]string, error) {
	rows, err := r.Find(b.Context(), s, binding)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line []byte
		if l.Via != nil {
			line = append(schema.AppendInt(line, int64(rows.Parent())), ':', ' ')
		}
		for i := range l.Columns {
			if i > 0 {
				line = append(line, ' ')
			}
			line = rows.AppendJSON(line, i)
		}
		lines = append(lines, string(line))
	}
	return lines, rows.Err()
}

// ids are the keys of a type's rows that meet a condition, sorted.
func (b *bench) ids(typ string, w query.Where, binding query.Binding) []string {
	b.Helper()
	ids := b.answer(b.keysOf(typ, w), binding)
	slices.Sort(ids)
	return ids
}

func (b *bench) keysOf(typ string, w query.Where) query.Level {
	l := query.Level{Type: b.typ(typ), Where: w}
	for _, f := range l.Type.Primary {
		l.Columns = append(l.Columns, query.Cell{Field: f})
	}
	return l
}

// wantSame says a condition of the database and of query.Holds, which must agree.
func (b *bench) wantSame(typ string, w query.Where, binding query.Binding) {
	b.Helper()
	got, want := b.ids(typ, w, binding), b.world.ids(b.typ(typ), w, binding)
	if slices.Equal(got, want) {
		return
	}
	in := func(ids []string) func(string) bool {
		return func(id string) bool { return slices.Contains(ids, id) }
	}
	b.Errorf("%s where %s\n with args %v, claims %v\n too many %v\n missing  %v\n by %s", typ, w, binding.Args, binding.Claims,
		slices.DeleteFunc(slices.Clone(got), in(want)), slices.DeleteFunc(slices.Clone(want), in(got)),
		b.prepare(b.keysOf(typ, w)))
	if b.wrong++; b.wrong > 5 {
		b.Fatal("and more")
	}
}

// want compares an answer.
func (b *bench) want(got []string, want ...string) {
	b.Helper()
	if !slices.Equal(got, want) {
		b.Errorf("got  %s\nwant %s", strings.Join(got, " | "), strings.Join(want, " | "))
	}
}
