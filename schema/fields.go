package schema

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// addFields makes the columns of a type and notes its links for later, when all columns are known.
func (c *checker) addFields(t *Type, def *ast.Definition) {
	c.broken[t] = map[string]bool{}
	if len(def.Fields) == 0 {
		c.errorf(def.Position, "type %s has no fields; add some in { }", t.Name)
	}
	for _, fd := range def.Fields {
		before := len(c.problems)
		if !c.fieldName(t, fd) {
			continue
		}
		f := &Field{
			Name: fd.Name, Description: fd.Description, Pos: c.pos(fd.Position), Owner: t,
			Column: snake(fd.Name), NonNull: fd.Type.NonNull, Index: -1,
		}
		if !c.typeField(f, fd) {
			if len(c.problems) > before {
				c.broken[t][fd.Name] = true
			}
			continue
		}
		t.Fields = append(t.Fields, f)
		t.byName[f.Name] = f
		if target := c.schema.byName[fd.Type.Name()]; target != nil && target.Kind != Embed {
			c.noteLink(f, fd, target)
			continue
		}
		c.column(f, fd)
	}
}

func (c *checker) fieldName(t *Type, fd *ast.FieldDefinition) bool {
	switch name := fd.Name; {
	case t.byName[name] != nil || c.broken[t][name]:
		c.errorf(fd.Position, "%s.%s is declared twice", t.Name, name)
		return false
	case strings.HasPrefix(name, "_"):
		c.errorf(fd.Position, "%s.%s: names that begin with _ belong to filters; rename it, @column(name: %q) keeps the column", t.Name, name, name)
	case name == "true" || name == "false" || name == "null":
		c.errorf(fd.Position, "%s.%s: fields are values of enums in the API, which cannot be called %s; rename it, @column(name: %q) keeps the column", t.Name, name, name, name)
	case len(fd.Arguments) > 0:
		c.errorf(fd.Position, "%s.%s: only @function and @resolver fields take arguments; put it into \"extend type %s\" with one of them", t.Name, name, t.Name)
	}
	for _, code := range []string{"function", "resolver"} {
		if u, ok := c.find(fd, code); ok {
			c.errorf(u.Position, "%s.%s is answered by code; put it into \"extend type %s { … }\"", t.Name, fd.Name, t.Name)
			c.broken[t][fd.Name] = true
			return false
		}
	}
	return true
}

// typeField finds what a field holds; false leaves the field out.
func (c *checker) typeField(f *Field, fd *ast.FieldDefinition) bool {
	typ := fd.Type
	if typ.Elem != nil {
		if typ.Elem.Elem != nil {
			c.errorf(fd.Position, "%s.%s: a list of lists cannot be stored; use JSON or an embedded type that holds the inner list", f.Owner.Name, f.Name)
			return false
		}
		f.List, f.ElemNull = true, !typ.Elem.NonNull
	}
	name := typ.Name()
	if s, ok := scalars[name]; ok {
		f.Scalar = s
		return true
	}
	if e := c.enums[name]; e != nil {
		f.Scalar, f.Enum = EnumValue, e
		return true
	}
	t := c.schema.byName[name]
	switch {
	case t == nil:
		c.unknownType(f.Owner.Name+"."+f.Name, typ)
		return false
	case t.Kind == Embed:
		f.Scalar, f.Value = Embedded, t
	}
	return true
}

func (c *checker) unknownType(where string, typ *ast.Type) {
	name := typ.Name()
	if def := c.declared[name]; def != nil {
		c.errorf(typ.Position, "%s: %s is an input type, which only the arguments of @function and @resolver fields have", where, name)
		return
	}
	names := slices.Collect(maps.Keys(scalars))
	for _, def := range c.order {
		names = append(names, def.Name)
	}
	c.errorf(typ.Position, "%s: unknown type %s%s", where, name, DidYouMean(name, names))
}

// A columnDirective says on which columns a directive may stand and what it does.
type columnDirective struct {
	fits func(*Field) bool
	want string // in words what it may stand on
	set  func(*checker, *Field, use)
	kind []Kind // besides tables
}

var columnDirectives = map[string]columnDirective{
	"primary":       {isKey, "a single ID, String, integer, UUID, enum, date or time", (*checker).setPrimary, []Kind{View}},
	"id":            {isKey, "a single ID, String, integer, UUID, enum, date or time", (*checker).setPrimary, []Kind{View}},
	"autoIncrement": {single(ID, Int, BigInt), "an ID, Int or BigInt", func(_ *checker, f *Field, _ use) { f.AutoIncrement = true }, nil},
	"unique":        {isIndexable, "a single value that is neither JSON nor embedded", (*checker).noteIndex, nil},
	"index":         {isIndexable, "a single value that is neither JSON nor embedded", (*checker).noteIndex, nil},
	"default":       {always, "", (*checker).setDefault, nil},
	"createdAt":     {single(DateTime), "a DateTime", func(_ *checker, f *Field, _ use) { f.CreatedAt = true }, nil},
	"updatedAt":     {single(DateTime), "a DateTime", func(_ *checker, f *Field, _ use) { f.UpdatedAt = true }, nil},
	"size":          {isSized, "an ID, a String, Bytes or a list", (*checker).setSize, []Kind{Embed}},
	"range":         {holds(Int, BigInt, Float, Decimal), "an Int, BigInt, Float or Decimal", (*checker).setRange, []Kind{Embed}},
	"match":         {holds(String, ID), "a String or ID", (*checker).setMatch, []Kind{Embed}},
	"decimal":       {holds(Decimal), "a Decimal", (*checker).setDecimal, []Kind{Embed, View}},
	"column":        {always, "", (*checker).setColumn, []Kind{View}},
	"hidden":        {always, "", func(_ *checker, f *Field, _ use) { f.Hidden = true }, []Kind{View}},
	"version":       {func(f *Field) bool { return single(Int)(f) && f.NonNull }, "an Int!", func(_ *checker, f *Field, _ use) { f.IsVersion = true }, nil},
	"search":        {single(String), "a String", func(_ *checker, f *Field, _ use) { f.Search = true }, nil},
	"auth":          {always, "", (*checker).setRules, []Kind{View}},
	"renamed":       {always, "", func(c *checker, f *Field, u use) { f.Renamed = c.renamed(u, f.Name) }, nil},
}

func always(*Field) bool { return true }

func holds(ss ...Scalar) func(*Field) bool {
	return func(f *Field) bool { return slices.Contains(ss, f.Scalar) }
}

func single(ss ...Scalar) func(*Field) bool {
	return func(f *Field) bool { return !f.List && slices.Contains(ss, f.Scalar) }
}

func isKey(f *Field) bool {
	return isIndexable(f) && f.Scalar != Float && f.Scalar != Bytes && f.Scalar != Boolean && f.Scalar != Decimal
}

func isIndexable(f *Field) bool { return !f.List && f.Scalar != JSON && f.Scalar != Embedded }

func isSized(f *Field) bool {
	return f.List || f.Scalar == String || f.Scalar == ID || f.Scalar == Bytes
}

// column reads the directives of a column.
func (c *checker) column(f *Field, fd *ast.FieldDefinition) {
	if f.Scalar == Decimal {
		f.Precision, f.Scale = defaultPrecision, defaultScale
	}
	for _, u := range c.uses[fd] {
		d, ok := columnDirectives[u.Name]
		kind := f.Owner.Kind
		switch {
		case u.Name == "link":
			c.errorf(u.Position, "%s.%s: @link leads to a table or view, and %s is none", f.Owner.Name, f.Name, fd.Type.Name())
		case !ok:
			c.errorf(u.Position, "@%s cannot stand on a column", u.Name)
		case kind == Embed && !slices.Contains(d.kind, Embed):
			c.errorf(u.Position, "%s.%s: @%s is for tables, and %s is an embedded value, for it has no @primary field", f.Owner.Name, f.Name, u.Name, f.Owner.Name)
		case kind == View && !slices.Contains(d.kind, View):
			c.errorf(u.Position, "%s.%s: @%s is for tables, and %s is a view, which is only read", f.Owner.Name, f.Name, u.Name, f.Owner.Name)
		case !d.fits(f):
			c.errorf(u.Position, "@%s is for %s; %s.%s is %s", u.Name, d.want, f.Owner.Name, f.Name, fd.Type)
		default:
			d.set(c, f, u)
		}
	}
	if f.Owner.Kind == Table {
		c.physical(f.Column, f.Pos)
	}
	c.combination(f, fd)
	c.checkDefault(f, fd)
}

func (c *checker) setPrimary(f *Field, u use) {
	if !f.NonNull && f.Owner.Kind == Table {
		c.errorf(u.Position, "%s.%s: a primary key cannot be null; write %s! @primary", f.Owner.Name, f.Name, scalarName(f))
	}
	f.IsPrimary = true
}

func (c *checker) noteIndex(f *Field, u use) {
	c.indexes = append(c.indexes, indexUse{owner: f.Owner, field: f, use: u})
}

func (c *checker) setDefault(f *Field, u use) {
	value, expr, sql := u.written("value"), u.written("expr"), u.written("sql")
	switch {
	case value != nil && expr != nil:
		c.errorf(u.Position, "%s.%s: @default takes either a value or an expr, not both", f.Owner.Name, f.Name)
	case sql != nil && (value != nil || expr != nil):
		c.errorf(u.Position, "%s.%s: @default takes either sql or a value or an expr, not two of them", f.Owner.Name, f.Name)
	case sql != nil:
		f.DefaultSQL = sql.Raw
		if strings.TrimSpace(sql.Raw) == "" || strings.ContainsAny(sql.Raw, ";\x00") {
			c.errorf(sql.Position, "%s.%s: @default(sql:) is an expression of the database, like \"now()\"", f.Owner.Name, f.Name)
		}
	case expr != nil:
		f.DefaultExpr = c.expr(expr)
		if strings.TrimSpace(expr.Raw) == "" {
			c.errorf(expr.Position, "%s.%s: @default(expr:) is empty; say an expression like \"auth.id\" or \"now\"", f.Owner.Name, f.Name)
		}
	case value == nil:
		c.missing(u, "%s.%s: say @default(value: …), @default(expr: \"…\") or @default(sql: \"…\")", f.Owner.Name, f.Name)
	}
}

func (c *checker) setSize(f *Field, u use) {
	f.Size = &Bounds{u.text("min"), u.text("max")}
	least, _ := strconv.Atoi(f.Size.Min)
	most, err := strconv.Atoi(f.Size.Max)
	switch {
	case f.Size.Min == "" && f.Size.Max == "":
		c.missing(u, "@size needs min, max or both")
	case least < 0 || err == nil && (most < 1 || least > most):
		c.errorf(u.Position, "@size(min: %s, max: %s) admits nothing; 0 ≤ min ≤ max and 1 ≤ max", orNone(f.Size.Min), orNone(f.Size.Max))
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (c *checker) setRange(f *Field, u use) {
	b := Bounds{c.bound(f, u, "min"), c.bound(f, u, "max")}
	f.Range = &b
	switch {
	case u.value("min") == nil && u.value("max") == nil:
		c.missing(u, "@range needs min, max or both")
	case b.Min != "" && b.Max != "" && compareDecimals(b.Min, b.Max) > 0:
		c.errorf(u.Position, "@range(min: %s, max: %s) admits nothing; min must not be more than max", b.Min, b.Max)
	}
}

// bound is one end of a range as plain decimal text, after which numbers of every scalar compare.
func (c *checker) bound(f *Field, u use, arg string) string {
	v := u.value(arg)
	if v == nil {
		return ""
	}
	text, err := decimalText(v.Raw, maxPrecision*2, maxPrecision)
	if err == nil && f.Scalar != Float && f.Scalar != Decimal {
		_, err = coerceInteger(f.Scalar, json.Number(text))
	}
	if err != nil {
		c.errorf(v.Position, "@range(%s: %s) is no %s: it %s", arg, clip(v.Raw), scalarName(f), err.Error())
		return ""
	}
	return text
}

func (c *checker) setMatch(f *Field, u use) {
	f.Match, f.Format = u.text("pattern"), u.text("format")
	pattern := u.written("pattern")
	if pattern == nil {
		if f.Format == "" {
			c.missing(u, "@match needs a pattern, a format or both")
		}
		return
	}
	re, err := regexp.Compile(f.Match)
	if err != nil {
		c.errorf(pattern.Position, "@match(pattern:) is no RE2 expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return
	}
	f.pattern = re
}

func (c *checker) setDecimal(f *Field, u use) {
	p, _ := strconv.Atoi(u.text("precision"))
	s, _ := strconv.Atoi(u.text("scale"))
	if p < 1 || p > maxPrecision || s < 0 || s > p {
		c.errorf(u.Position, "@decimal(precision: %d, scale: %d) cannot be held by all databases; 1 ≤ precision ≤ %d and 0 ≤ scale ≤ precision", p, s, maxPrecision)
		return
	}
	f.Precision, f.Scale = p, s
}

func (c *checker) setColumn(f *Field, u use) {
	name, native := u.written("name"), u.written("type")
	if name == nil && native == nil {
		c.missing(u, "@column needs a name, a type or both")
	}
	if name != nil {
		f.Column = name.Raw
		c.physical(f.Column, c.pos(name.Position))
	}
	if native != nil {
		if f.Native = native.Raw; strings.TrimSpace(f.Native) == "" || strings.ContainsAny(f.Native, ";\x00") {
			c.errorf(native.Position, "@column(type:) is a type of the database, like \"varchar(80)\"")
		}
	}
}

func (c *checker) setRules(f *Field, u use) {
	f.Rules = c.rules(u)
	if v := u.written("delete"); v != nil {
		c.errorf(v.Position, "%s.%s: a field is not deleted; @auth on a field takes read, create and update", f.Owner.Name, f.Name)
		f.Rules.Delete = Expr{}
	}
	if f.Owner.Kind == View && (f.Rules.Create.Text != "" || f.Rules.Update.Text != "") {
		c.errorf(u.Position, "%s is a view, which is only read; say only @auth(read:)", f.Owner.Name)
	}
}

// combination checks directives against each other.
func (c *checker) combination(f *Field, fd *ast.FieldDefinition) {
	var by []string
	for _, n := range []string{"default", "createdAt", "updatedAt", "version", "autoIncrement"} {
		if _, ok := c.find(fd, n); ok {
			by = append(by, "@"+n)
		}
	}
	if len(by) > 1 {
		c.errorAt(f.Pos, "%s.%s: only one of %s can set the field", f.Owner.Name, f.Name, strings.Join(by, " and "))
	}
	if !f.Hidden || f.Owner.Kind != Table {
		return
	}
	switch {
	case f.IsPrimary:
		c.errorAt(f.Pos, "%s.%s: a primary key cannot be @hidden, for rows are named by it", f.Owner.Name, f.Name)
	case f.NonNull && len(by) == 0:
		c.errorAt(f.Pos, "%s.%s is @hidden and cannot be null, so that nobody could insert a row; add @default or drop the !", f.Owner.Name, f.Name)
	}
}

// checkDefault makes the literal default, when all that it has to fit is known.
func (c *checker) checkDefault(f *Field, fd *ast.FieldDefinition) {
	u, ok := c.find(fd, "default")
	if !ok || u.written("value") == nil || f.Owner.Kind != Table {
		return
	}
	v := u.written("value")
	if v.Kind == ast.NullValue {
		c.errorf(v.Position, "%s.%s: an absent field is null anyway; remove the default", f.Owner.Name, f.Name)
		return
	}
	if f.Value != nil {
		// Its type's fields may not have been read yet, and a column's DEFAULT cannot follow when they change.
		c.errorf(v.Position, "%s.%s: embedded values have no literal defaults; say @default(expr: …) or drop the !", f.Owner.Name, f.Name)
		return
	}
	if v.Kind == ast.EnumValue && f.Scalar != EnumValue {
		c.errorf(v.Position, "%s.%s: the default is no %s; write %q in quotes", f.Owner.Name, f.Name, scalarName(f), v.Raw)
		return
	}
	got, err := f.Coerce(literal(v))
	if err != nil {
		c.errorf(v.Position, "%s.%s: the default %s", f.Owner.Name, f.Name, err.Error())
		return
	}
	for _, violation := range f.Validate(got) {
		c.errorf(v.Position, "%s.%s: the default breaks %s: it %s", f.Owner.Name, f.Name, violation.Rule, violation.Message)
	}
	f.Default = &got
}

// literal is a literal of the SDL as JSON would have it.
func literal(v *ast.Value) any {
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.StringValue, ast.BlockValue, ast.EnumValue:
		return v.Raw
	case ast.ListValue:
		list := make([]any, len(v.Children))
		for i, e := range v.Children {
			list[i] = literal(e.Value)
		}
		return list
	case ast.ObjectValue:
		object := map[string]any{}
		for _, e := range v.Children {
			object[e.Name] = literal(e.Value)
		}
		return object
	}
	return nil
}

// scalarName is what a column holds, as the SDL says it and without !.
func scalarName(f *Field) string {
	switch {
	case f.Enum != nil:
		return f.Enum.Name
	case f.Value != nil:
		return f.Value.Name
	}
	return f.Scalar.String()
}

// String is the scalar's name in the SDL.
func (s Scalar) String() string { return scalarNames[s] }

var scalarNames = [...]string{
	NoScalar: "link", ID: "ID", String: "String", Int: "Int", BigInt: "BigInt", Float: "Float",
	Decimal: "Decimal", Boolean: "Boolean", DateTime: "DateTime", Date: "Date", Time: "Time",
	UUID: "UUID", JSON: "JSON", Bytes: "Bytes", EnumValue: "enum", Embedded: "embedded",
}
