package graph

import (
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/schema"
)

// updateOperators are those of an update by their names in the API, in the order in which
// their faults are found.
var updateOperators = []struct {
	name string
	read func(*compiler, *schema.Type, input) ([]resolvers.Assign, error)
}{
	{"set", columnsBy(query.Set)},
	{"inc", columnsBy(query.Inc)},
	{"mul", columnsBy(query.Mul)},
	{"max", columnsBy(query.Max)},
	{"min", columnsBy(query.Min)},
	{"currentDate", (*compiler).currentDates},
	{"push", columnsBy(query.Push)},
	{"pull", columnsBy(query.Pull)},
	{"unset", (*compiler).unsets},
	{"rename", (*compiler).renames},
}

// assigns are the changes of an update.
func (k *compiler) assigns(t *schema.Type, field *ast.Field) ([]resolvers.Assign, error) {
	var set []resolvers.Assign
	for _, o := range updateOperators {
		in, ok := k.given(field, o.name)
		if !ok || in.isNull() {
			continue
		}
		in.name = o.name
		found, err := o.read(k, t, in)
		if err != nil {
			return nil, err
		}
		set = append(set, found...)
	}
	return set, nil
}

var errNothing = fault.New(fault.Invalid, "nothing to change: the operators name no field")

// columnsBy reads an operator that takes an object of columns.
func columnsBy(op query.AssignOp) func(*compiler, *schema.Type, input) ([]resolvers.Assign, error) {
	return func(_ *compiler, t *schema.Type, in input) ([]resolvers.Assign, error) {
		doc, err := row(t, in)
		set := make([]resolvers.Assign, 0, len(doc))
		for _, v := range doc {
			if v.Link != nil {
				continue // see links
			}
			set = append(set, assign(in.name, v.Field, op, query.Const(v.Value)))
		}
		return set, err
	}
}

func assign(operator string, f *schema.Field, op query.AssignOp, value query.Operand) resolvers.Assign {
	value.Scalar = f.Scalar
	return resolvers.Assign{Assign: query.Assign{Field: f, Op: op, Value: value}, At: []any{operator, f.Name}}
}

// namesIn are the names in a list of an enum.
func namesIn(in input) []string {
	var out []string
	for _, item := range in.items() {
		out = append(out, item.word())
	}
	return out
}

func (k *compiler) currentDates(t *schema.Type, in input) ([]resolvers.Assign, error) {
	var set []resolvers.Assign
	for _, name := range namesIn(in) {
		f := t.Field(name)
		set = append(set, assign(in.name, f, query.Set, query.Const(moment(f, k.clock))))
	}
	return set, nil
}

// moment is a time as a column holds it.
func moment(f *schema.Field, at time.Time) schema.Value {
	form := "2006-01-02T15:04:05.000000Z"
	switch f.Scalar {
	case schema.Date:
		form = "2006-01-02"
	case schema.Time:
		form = "15:04:05.000000"
	}
	return schema.Text(at.UTC().Format(form))
}

func (*compiler) unsets(t *schema.Type, in input) ([]resolvers.Assign, error) {
	var set []resolvers.Assign
	for _, name := range namesIn(in) {
		set = append(set, assign(in.name, t.Field(name), query.Set, query.Const(schema.Null)))
	}
	return set, nil
}

// renames move values: the one column takes it, the other becomes null.
func (*compiler) renames(t *schema.Type, in input) ([]resolvers.Assign, error) {
	var set []resolvers.Assign
	for _, m := range in.members() {
		if m.isNull() {
			continue
		}
		from, to := t.Field(m.name), t.Field(m.word())
		if !from.SameType(to) {
			return nil, fault.New(fault.Invalid, "rename.%s: %s.%s is of another type than %s.%s",
				m.name, t.Name, to.Name, t.Name, from.Name).At("rename", m.name)
		}
		moved := assign(in.name, to, query.Set, query.Col(from))
		moved.At[1] = from.Name
		set = append(set, moved, assign(in.name, from, query.Set, query.Const(schema.Null)))
	}
	return set, nil
}

// ifVersion is the version that a change by key asks for.
func (k *compiler) ifVersion(field *ast.Field) (schema.Value, error) {
	in, ok := k.given(field, "ifVersion")
	if !ok || in.isNull() {
		return schema.Null, nil
	}
	v, err := schema.CoerceScalar(schema.Int, nil, in.plain())
	if err != nil {
		return v, invalid("ifVersion", err)
	}
	return v, nil
}
