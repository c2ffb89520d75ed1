package schema

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// scalars are the scalars by their names in the SDL.
var scalars = map[string]Scalar{
	"ID": ID, "String": String, "Int": Int, "BigInt": BigInt, "Float": Float, "Decimal": Decimal,
	"Boolean": Boolean, "DateTime": DateTime, "Date": Date, "Time": Time, "UUID": UUID,
	"JSON": JSON, "Bytes": Bytes,
}

// roots are the types that only "extend type" may name.
var roots = []string{"Query", "Mutation", "Subscription"}

// collect takes the definitions of one document: it needs no other document to be right.
func (c *checker) collect(doc *ast.SchemaDocument) {
	for _, d := range doc.Directives {
		c.directiveDeclaration(d)
	}
	for _, d := range doc.DirectiveExtensions {
		c.errorf(d.Position, "directives cannot be extended; remove it")
	}
	for _, s := range doc.Schema {
		c.errorf(s.Position, "the root types are made for you; remove \"schema\", or say \"extend schema\" before directives")
	}
	for _, s := range doc.SchemaExtension {
		if len(s.OperationTypes) > 0 {
			c.errorf(s.Position, "the root types are made for you; \"extend schema\" only carries directives")
		}
		c.check(s, s.Directives, ast.LocationSchema)
	}
	for _, def := range doc.Definitions {
		c.define(def)
	}
	for _, ext := range doc.Extensions {
		c.checkDefinition(ext)
	}
}

// define registers a definition under its name.
func (c *checker) define(def *ast.Definition) {
	first := c.declared[def.Name]
	switch {
	case c.ownDeclaration(def):
		return
	case slices.Contains(roots, def.Name):
		c.errorf(def.Position, "%s is made for you; say \"extend type %s\" to add fields", def.Name, def.Name)
		return
	case first != nil:
		c.errorf(def.Position, "%s is declared twice, first at %s; merge them or rename one", def.Name, c.pos(first.Position))
		return
	case strings.HasPrefix(def.Name, "_"):
		c.errorf(def.Position, "%s: names that begin with _ are the server's own; choose another", def.Name)
		return
	case def.Kind == ast.Interface, def.Kind == ast.Union:
		c.errorf(def.Position, "%s: there are no interfaces and unions; say type, and repeat the fields or link to one type", def.Name)
		return
	case def.Kind == ast.Scalar:
		names := slices.Collect(maps.Keys(scalars))
		slices.Sort(names)
		c.errorf(def.Position, "%s: there are no scalars of one's own; use one of %s, with @match or @range", def.Name, strings.Join(names, ", "))
		return
	case scalars[def.Name] != NoScalar:
		c.errorf(def.Position, "%s is a scalar of the language; choose another name", def.Name)
		return
	}
	c.declared[def.Name] = def
	c.order = append(c.order, def)
	c.checkDefinition(def)
}

// locations are where the directives of a definition and of its members stand.
var locations = map[ast.DefinitionKind][2]ast.DirectiveLocation{
	ast.Object:      {ast.LocationObject, ast.LocationFieldDefinition},
	ast.InputObject: {ast.LocationInputObject, ast.LocationInputFieldDefinition},
	ast.Enum:        {ast.LocationEnum, ast.LocationEnumValue},
	ast.Scalar:      {ast.LocationScalar},
}

func (c *checker) checkDefinition(def *ast.Definition) {
	at, ok := locations[def.Kind]
	if !ok {
		return
	}
	c.check(def, def.Directives, at[0])
	for _, f := range def.Fields {
		c.check(f, f.Directives, at[1])
		for _, a := range f.Arguments {
			c.check(a, a.Directives, ast.LocationArgumentDefinition)
		}
	}
	for _, v := range def.EnumValues {
		c.check(v, v.Directives, at[1])
	}
	if len(def.Interfaces) > 0 {
		c.errorf(def.Position, "%s: there are no interfaces to implement; remove \"implements\"", def.Name)
	}
}

// build makes the schema out of all definitions.
func (c *checker) build(docs []*ast.SchemaDocument) {
	for _, def := range c.order {
		switch def.Kind {
		case ast.Enum:
			c.addEnum(def)
		case ast.Object:
			c.addType(def)
		}
	}
	for _, def := range c.order {
		if def.Kind == ast.Object {
			c.addFields(c.schema.byName[def.Name], def)
		}
	}
	c.resolveLinks()
	c.checkTypes()
	c.checkNesting()
	c.declareModules(docs)
	c.checkNames()
}

func (c *checker) addEnum(def *ast.Definition) {
	e := &Enum{Name: def.Name, Description: def.Description, Pos: c.pos(def.Position)}
	if len(def.EnumValues) == 0 {
		c.errorf(def.Position, "enum %s has no values", def.Name)
	}
	for _, v := range def.EnumValues {
		switch {
		case e.Has(v.Name):
			c.errorf(v.Position, "%s is twice in %s", v.Name, e.Name)
		case v.Name == "true" || v.Name == "false" || v.Name == "null" || strings.HasPrefix(v.Name, "__"):
			c.errorf(v.Position, "%s cannot be the value of an enum in GraphQL; choose another name", v.Name)
		}
		e.Values = append(e.Values, EnumItem{v.Name, v.Description})
	}
	c.schema.Enums = append(c.schema.Enums, e)
	c.enums[e.Name] = e
}

var (
	databaseName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	apiName      = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`)
)

// addType makes the type without its fields.
func (c *checker) addType(def *ast.Definition) {
	t := &Type{
		Name: def.Name, Description: def.Description, Pos: c.pos(def.Position),
		byName: map[string]*Field{},
	}
	c.schema.byName[t.Name] = t
	t.Kind = c.kind(def)
	if t.Kind == Embed {
		c.schema.Values = append(c.schema.Values, t)
		return
	}
	c.schema.Types = append(c.schema.Types, t)
	home, said := c.find(def, "table")
	if t.Kind == View {
		if said {
			c.errorf(home.Position, "%s is a view: say db, name, single and plural in @view", t.Name)
		}
		home, _ = c.find(def, "view")
		t.SQL = home.text("sql")
		if v := home.written("sql"); v != nil && strings.TrimSpace(t.SQL) == "" {
			c.errorf(v.Position, "@view(sql:) is empty; leave it out for a view that exists already")
		}
	} else if !said {
		home = use{Directive: &ast.Directive{Position: def.Position}, decl: language().directives["table"]}
	}
	t.DB = home.text("db")
	if !databaseName.MatchString(t.DB) {
		c.errorf(home.value("db").Position, "%q cannot name a database; use letters, digits, _ and -", clip(t.DB))
	}
	c.nameType(t, home)
	c.typeRules(t, def)
}

// kind tells tables, views and values apart. A type that has anything of a table is one, so
// that a forgotten @primary is a problem and no silent change of meaning.
func (c *checker) kind(def *ast.Definition) Kind {
	if _, ok := c.find(def, "view"); ok {
		return View
	}
	if slices.ContainsFunc(def.Fields, c.isPrimary) {
		return Table
	}
	if len(c.uses[def]) > 0 {
		d := c.uses[def][0]
		c.errorf(d.Position, "%s has @%s but no @primary field; add \"id: ID! @primary\"", def.Name, d.Name)
		return Table
	}
	return Embed
}

func (c *checker) isPrimary(f *ast.FieldDefinition) bool {
	_, primary := c.find(f, "primary")
	_, id := c.find(f, "id")
	return primary || id
}

// nameType finds the type's names, in the API and in the database.
func (c *checker) nameType(t *Type, home use) {
	many, ok := pluralWords(t.Name)
	t.Single, t.Plural = camel(t.Name), joinCamel(many)
	t.Table = joinSnake(many)
	if v := home.written("single"); v != nil {
		t.Single = c.apiName(v, "single")
	}
	if v := home.written("plural"); v != nil {
		t.Plural = c.apiName(v, "plural")
	} else if !ok {
		c.errorf(home.Position, "%s has no regular plural, or is one already; say @%s(single: %q, plural: …) or rename the type", t.Name, home.decl.Name, t.Single)
		t.Plural = t.Single + "List"
	}
	if !ok {
		t.Table = snake(t.Plural)
	}
	if t.Single == t.Plural {
		c.errorf(home.Position, "%s is called %s in the singular and in the plural; say a different @%s(plural:)", t.Name, t.Single, home.decl.Name)
	}
	at := t.Pos
	if v := home.written("name"); v != nil {
		t.Table, at = v.Raw, c.pos(v.Position)
	}
	c.physical(t.Table, at)
	if strings.HasPrefix(t.Table, "_") || strings.HasPrefix(strings.ToLower(t.Table), "sqlite_") {
		c.errorAt(at, "table %s: names that begin with _ or sqlite_ are taken by the server and the database", t.Table)
	}
}

func (c *checker) apiName(v *ast.Value, arg string) string {
	if !apiName.MatchString(v.Raw) {
		c.errorf(v.Position, "%s: %q cannot be a field of the API; begin with a small letter and use letters, digits and _", arg, clip(v.Raw))
	}
	return v.Raw
}

// physical checks the name of a table, column or index. All of them are quoted, so that only
// what no database takes is wrong.
func (c *checker) physical(name string, at Pos) {
	switch {
	case name == "" || strings.TrimSpace(name) != name || strings.ContainsAny(name, "\x00\n"):
		c.errorAt(at, "%q cannot be a name in a database", clip(name))
	case len(name) > maxName:
		c.errorAt(at, "%s has more than %d bytes, which not every database can hold; say a shorter one by name:", clip(name), maxName)
	}
}

// typeRules reads the directives that need no fields.
func (c *checker) typeRules(t *Type, def *ast.Definition) {
	for _, u := range c.uses[def] {
		if t.Kind == View && slices.Contains([]string{"index", "unique", "check", "trigger", "changes", "renamed"}, u.Name) {
			c.errorf(u.Position, "%s is a view, which is only read; @%s has no meaning here", t.Name, u.Name)
			continue
		}
		switch u.Name {
		case "auth":
			t.Rules = c.rules(u)
			if t.Kind == View && (t.Rules.Create.Text != "" || t.Rules.Update.Text != "" || t.Rules.Delete.Text != "") {
				c.errorf(u.Position, "%s is a view, which is only read; say only @auth(read:)", t.Name)
			}
		case "check":
			if rule := u.written("rule"); rule != nil {
				t.Checks = append(t.Checks, Check{c.rule(u, "rule"), u.text("message")})
			}
		case "renamed":
			t.Renamed = c.renamed(u, t.Name)
		case "index", "unique":
			c.indexes = append(c.indexes, indexUse{owner: t, use: u})
		}
	}
}

func (c *checker) rules(u use) Rules {
	return Rules{c.rule(u, "read"), c.rule(u, "create"), c.rule(u, "update"), c.rule(u, "delete")}
}

func (c *checker) rule(u use, arg string) Expr {
	v := u.written(arg)
	if v != nil && strings.TrimSpace(v.Raw) == "" {
		c.errorf(v.Position, "@%s(%s:) is empty; \"true\" admits everybody, leaving it out nobody", u.Name, arg)
	}
	return c.expr(v)
}

func (c *checker) renamed(u use, name string) string {
	from := u.text("from")
	if v := u.written("from"); v != nil && (from == name || from == "") {
		c.errorf(v.Position, "@renamed(from:) is the name that %s had before, got %q", name, clip(from))
	}
	return from
}

// checkNesting refuses values that would have to hold themselves.
func (c *checker) checkNesting() {
	const white, grey, black = 0, 1, 2
	color := map[*Type]int{}
	var visit func(t *Type)
	visit = func(t *Type) {
		color[t] = grey
		for _, f := range t.Fields {
			if f.Value == nil || f.List || !f.NonNull {
				continue
			}
			switch color[f.Value] {
			case white:
				visit(f.Value)
			case grey:
				c.errorAt(f.Pos, "%s.%s: %s would hold itself without end; drop the ! or make it a list", t.Name, f.Name, f.Value.Name)
			}
		}
		color[t] = black
	}
	for _, t := range c.schema.Values {
		if color[t] == white {
			visit(t)
		}
	}
}

// checkTypes numbers the columns and checks what only a whole type can tell.
func (c *checker) checkTypes() {
	for _, t := range slices.Concat(c.schema.Types, c.schema.Values) {
		columns := map[string]*Field{}
		for _, f := range t.Fields {
			f.Index = -1
			if f.IsLink() {
				continue
			}
			f.Index = len(t.Columns)
			t.Columns = append(t.Columns, f)
			key := strings.ToLower(f.Column)
			if other := columns[key]; other != nil && t.Kind != Embed {
				c.errorAt(f.Pos, "%s.%s and %s.%s are both the column %s; say @column(name:) on one", t.Name, other.Name, t.Name, f.Name, f.Column)
			}
			columns[key] = f
		}
		c.checkKey(t)
		c.checkRenames(t)
	}
}

// operators are the arguments of an update by key, beside which the key's fields stand.
var operators = []string{"set", "inc", "mul", "max", "min", "currentDate", "push", "pull", "unset", "rename", "ifVersion"}

func (c *checker) checkKey(t *Type) {
	versions := 0
	for _, f := range t.Fields {
		if f.IsVersion {
			if versions++; versions > 1 {
				c.errorAt(f.Pos, "%s has two @version fields; one counts every update", t.Name)
			}
		}
		if f.AutoIncrement && (!f.IsPrimary || len(t.Primary) > 1) {
			c.errorAt(f.Pos, "%s.%s: @autoIncrement is for a primary key of one field", t.Name, f.Name)
		}
		if f.IsPrimary && slices.Contains(operators, f.Name) {
			c.errorAt(f.Pos, "%s.%s: a key cannot be called %s, for updates by key have an argument of that name; rename it and keep the column by @column(name:)", t.Name, f.Name, f.Name)
		}
	}
}

func (c *checker) checkRenames(t *Type) {
	seen := map[string]*Field{}
	for _, f := range t.Fields {
		if f.Renamed == "" {
			continue
		}
		if other := seen[f.Renamed]; other != nil {
			c.errorAt(f.Pos, "%s.%s and %s.%s both say that they were %s; only one can have been", t.Name, other.Name, t.Name, f.Name, f.Renamed)
		}
		if t.byName[f.Renamed] != nil {
			c.errorAt(f.Pos, "%s.%s was renamed from %s, which is still there; remove one of them", t.Name, f.Name, f.Renamed)
		}
		seen[f.Renamed] = f
	}
}

func databases(s *Schema) []string {
	names := map[string]bool{}
	for _, t := range s.Types {
		names[t.DB] = true
	}
	return slices.Sorted(maps.Keys(names))
}
