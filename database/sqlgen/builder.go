package sqlgen

import (
	"strconv"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// Builder collects a statement.
type Builder struct {
	dialect Dialect
	text    []byte
	params  []Param
	scopes  []string // aliases of the rows a condition can speak of, outermost first
	aliases int
	err     error
}

// usualText is room for most statements, in bytes.
const usualText = 256

func build(d Dialect, render func(*Builder)) (Statement, error) {
	b := &Builder{dialect: d, text: make([]byte, 0, usualText)}
	render(b)
	return Statement{Text: string(b.text), Params: b.params}, b.err
}

// Text appends SQL. What comes from a schema or a request is never given to it.
func (b *Builder) Text(sql string) { b.text = append(b.text, sql...) }

// Int appends a number.
func (b *Builder) Int(i int) { b.text = strconv.AppendInt(b.text, int64(i), 10) }

// Name appends a quoted identifier.
func (b *Builder) Name(name string) { b.text = b.dialect.Quote(b.text, name) }

// Column appends a column of the row with that alias.
func (b *Builder) Column(alias string, f *schema.Field) {
	b.Text(alias)
	b.Text(".")
	b.Name(f.Column)
}

// Table appends a type's table under an alias.
func (b *Builder) Table(t *schema.Type, alias string) {
	b.Name(t.Table)
	b.Text(" AS ")
	b.Text(alias)
}

// Bind appends a placeholder.
func (b *Builder) Bind(p Param) {
	b.params = append(b.params, p)
	if strict, ok := b.dialect.(Strict); ok {
		b.text = strict.Typed(b.text, len(b.params), p)
		return
	}
	b.text = b.dialect.Placeholder(b.text, len(b.params))
}

// Alias is a new alias.
func (b *Builder) Alias() string {
	b.aliases++
	return "t" + strconv.Itoa(b.aliases-1)
}

// Of renders with the row of that alias as the one that Up: 0 speaks of.
func (b *Builder) Of(alias string, render func()) {
	b.scopes = append(b.scopes, alias)
	render()
	b.scopes = b.scopes[:len(b.scopes)-1]
}

// Fail records the first thing that cannot be said.
func (b *Builder) Fail(format string, args ...any) {
	if b.err == nil {
		b.err = fault.New(fault.Invalid, format, args...)
	}
}

func (b *Builder) scope(up int) string {
	if up < 0 || up >= len(b.scopes) {
		b.Fail("a condition speaks of a row %d steps out, and there are %d", up, len(b.scopes))
		return "t0"
	}
	return b.scopes[len(b.scopes)-1-up]
}

// list appends items between separators.
func list[T any](b *Builder, items []T, separator string, render func(T)) {
	for i, item := range items {
		if i > 0 {
			b.Text(separator)
		}
		render(item)
	}
}

// Columns appends columns of a row, by commas.
func (b *Builder) Columns(alias string, fs []*schema.Field) {
	list(b, fs, ", ", func(f *schema.Field) { b.Column(alias, f) })
}

// ScalarOf is what an operand holds, NoScalar when nothing says so.
func ScalarOf(o query.Operand) schema.Scalar {
	if o.Kind == query.Column {
		return o.Field.Scalar
	}
	return o.Scalar
}
