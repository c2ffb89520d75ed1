package rules

import (
	"encoding/json"
	"errors"
	"time"

	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/schema"
)

// Filled is a field that got its @default(expr:).
type Filled struct {
	Field *schema.Field
	Value schema.Value
}

// fallback is a compiled @default(expr:).
type fallback struct {
	field *schema.Field
	value value
	reads []*schema.Field // the columns of doc that it looks at
}

// Defaults computes the @default(expr:) of every field of a row that row has no value for, in
// the order of the schema; a default sees those before it. What cannot be computed, as
// auth.id without a token, is null. An error is a fault.Validation for each value that does
// not fit its column.
func (s *Set) Defaults(c *auth.Caller, t *schema.Type, row func(*schema.Field) (schema.Value, bool)) ([]Filled, error) {
	var filled []Filled
	var errs []error
	get := func(f *schema.Field) schema.Value {
		for _, each := range filled {
			if each.Field == f {
				return each.Value
			}
		}
		v, _ := row(f)
		return v
	}
	for _, d := range s.defaults[t] {
		if _, given := row(d.field); given {
			continue
		}
		v, err := d.compute(c, get)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		filled = append(filled, Filled{d.field, v})
	}
	return filled, errors.Join(errs...)
}

func (d fallback) compute(c *auth.Caller, get func(*schema.Field) schema.Value) (schema.Value, error) {
	v := d.eval(c, get)
	if v == nil {
		return schema.Null, nil
	}
	out, err := d.field.Coerce(plain(v))
	if err != nil {
		return schema.Null, fault.Wrap(fault.Validation, err, "the default of %s.%s does not fit it",
			d.field.Owner.Name, d.field.Name).At(d.field.Name)
	}
	return out, nil
}

func (d fallback) eval(c *auth.Caller, get func(*schema.Field) schema.Value) any {
	program, ok := d.value.(computed)
	if !ok {
		return d.value.of(c)
	}
	doc := make(map[string]any, len(d.reads))
	for _, f := range d.reads {
		doc[f.Name] = celNative(f, get(f))
	}
	out, _, err := program.program.Eval(rowActivation{activation{c}, doc})
	if err != nil {
		return nil
	}
	return listed(out)
}

// rowActivation gives CEL the variables of a caller and a row.
type rowActivation struct {
	activation
	doc map[string]any
}

func (a rowActivation) ResolveName(name string) (any, bool) {
	if name == "doc" {
		return a.doc, true
	}
	return a.activation.ResolveName(name)
}

func (rowActivation) Parent() cel.Activation { return nil }

// celNative is a value of a column as CEL takes it.
func celNative(f *schema.Field, v schema.Value) any {
	switch v.Kind() {
	case schema.NullValue:
		return nil
	case schema.BoolValue:
		return v.Bool()
	case schema.IntValue:
		return v.Int()
	case schema.FloatValue:
		return v.Float()
	case schema.BytesValue:
		return []byte(v.Text())
	case schema.ListValue:
		out := make([]any, len(v.List()))
		for i, e := range v.List() {
			out[i] = celNative(f, e)
		}
		return out
	}
	return celText(f.Scalar, v.Text())
}

func celText(s schema.Scalar, text string) any {
	switch s {
	case schema.DateTime:
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return at
		}
	case schema.JSON, schema.Embedded:
		var out any
		if json.Unmarshal([]byte(text), &out) == nil {
			return out
		}
	}
	return text
}

func (u unit) defaultOf(f *schema.Field) {
	e := f.DefaultExpr
	if e.Text == "" {
		return
	}
	a := u.parse(e)
	if a == nil {
		return
	}
	d := fallback{field: f}
	u.translate(e, a, func(t *translator, root celast.Expr) node {
		if got := t.typeOf(root); !fits(got, f) {
			return t.refuse(root, "%s is %s, and this is a %s", f.Name, typeName(f), plainType(got))
		}
		d.reads = t.columnsRead(root)
		d.value = t.value(root)
		return nil
	})
	u.set.defaults[u.of] = append(u.set.defaults[u.of], d)
}

func (t *translator) typeOf(e celast.Expr) string {
	return cel.FormatCELType(t.ast.GetType(e.ID()))
}

// fits is whether a value of a CEL type can be one of a column; what is dynamic is seen when
// there is a value.
func fits(got string, f *schema.Field) bool {
	want := cel.FormatCELType(celType(f))
	return want == "dyn" || got == "dyn" || got == "null" || plainType(got) == plainType(want)
}

// columnsRead are the columns of doc that an expression looks at. Other rows are not there
// when a default is computed.
func (t *translator) columnsRead(e celast.Expr) []*schema.Field {
	var columns []*schema.Field
	within := map[int64]bool{} // the idents that a path begins with
	celast.PreOrderVisit(e, celast.NewExprVisitor(func(e celast.Expr) {
		switch e.Kind() {
		case celast.SelectKind:
			if p, ok := t.path(asked(e)); ok && p.last != nil && len(p.via) == 0 {
				within[e.AsSelect().Operand().ID()] = true
				if p.last.IsLink() {
					t.refuse(e, "a default sees the columns of its own row; %s leads to another", t.text(e))
					return
				}
				columns = append(columns, p.last)
			}
		case celast.IdentKind:
			_, isRow := t.rows[e.AsIdent()]
			if isRow && !within[e.ID()] || rowsType(e.AsIdent()) != "" {
				t.refuse(e, "a default sees the columns of its own row and nothing else of the database")
			}
		}
	}))
	return columns
}
