package generator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spacecloud/schema"
)

const pulledHead = `# The schema of database %s (%s), pulled from what is there. Serving it changes nothing in
# the database; what you change here, a migration changes there.
#
# Nothing is open yet: a type without rules has no API. Say on each type who may do what, in
# rules over the row (doc) and the caller (auth):
#
#   type Post @auth(read: "true", create: "auth.id != ''", update: "doc.authorId == auth.id") {
`

// write is the SDL of what there is now, noting which line is about what. An open one has
// rules that admit everybody.
func (p *pull) write(open bool) string {
	p.out.Reset()
	p.open = open
	p.line, p.lines = 1, map[int]any{}
	p.say(nil, strings.TrimSuffix(fmt.Sprintf(pulledHead, p.existing.Database, strings.Fields(p.existing.Product)[0]), "\n"))
	if len(p.existing.Notes) > 0 {
		p.say(nil, "#")
	}
	for _, n := range p.existing.Notes {
		p.comment("", n)
	}
	if len(p.alone) > 0 {
		p.say(nil, "#")
		p.say(nil, "# Not in the schema, and left alone:")
		for _, a := range p.alone {
			p.comment("", "  "+a)
		}
	}
	enums := map[string][]string{}
	for _, t := range p.types {
		p.writeType(t, enums)
	}
	return p.out.String()
}

// say writes a line, or several, about something.
func (p *pull) say(about any, text string) {
	p.out.WriteString(text + "\n")
	for range 1 + strings.Count(text, "\n") {
		p.lines[p.line] = about
		p.line++
	}
}

// comment writes a sentence as a comment: a name may hold anything.
func (p *pull) comment(margin, text string) {
	p.say(nil, margin+"# "+strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ").Replace(text))
}

func (p *pull) writeType(t *pulledType, enums map[string][]string) {
	for _, f := range t.fields {
		if f.scalar == schema.EnumValue && f.column != nil {
			p.writeEnum(t, f, enums)
		}
		if f.scalar == schema.Embedded {
			p.writeEmbedded(f, f.holder, f.members)
		}
	}
	p.say(nil, "")
	for _, n := range t.notes {
		p.comment("", n)
	}
	p.describe(t, "", t.table.Comment)
	p.say(t, "type "+t.name+p.home(t)+p.rules(t)+p.keys(t)+" {")
	for _, f := range t.fields {
		if f.note != "" {
			p.comment("  ", f.note)
		}
		if f.column != nil {
			p.describe(f, "  ", f.column.Comment)
		}
		p.say(f, "  "+p.member(f))
	}
	for _, a := range t.alone {
		p.comment("  ", "left alone: "+a)
	}
	p.say(nil, "}")
}

// describe writes what the database says of something, as its description.
func (p *pull) describe(about any, margin, comment string) {
	if comment != "" {
		p.say(about, margin+quoteSDL(comment))
	}
}

func (p *pull) rules(t *pulledType) string {
	switch {
	case !p.open:
		return ""
	case t.isView():
		return ` @auth(read: "true")`
	}
	return ` @auth(read: "true", create: "true", update: "true", delete: "true")`
}

// writeEnum writes an enum once: a native one may have several columns.
func (p *pull) writeEnum(t *pulledType, f *pulledField, enums map[string][]string) {
	taken := names{}
	for _, o := range p.types {
		taken[strings.ToLower(o.name)] = true
	}
	for name, values := range enums {
		taken[strings.ToLower(name)] = !slices.Equal(values, f.values) || f.column.Form != "enum"
	}
	base := f.enum
	if f.enum = taken.free(base, base+"Value"); enums[f.enum] != nil {
		return
	}
	enums[f.enum] = f.values
	p.say(nil, "")
	p.say(t, "enum "+f.enum+" {")
	for _, v := range f.values {
		p.say(t, "  "+v)
	}
	p.say(nil, "}")
}

// writeEmbedded writes the types that a field of documents holds, the inner ones first.
func (p *pull) writeEmbedded(f *pulledField, name string, members []embeddedMember) {
	for _, m := range members {
		if m.scalar == schema.Embedded {
			p.writeEmbedded(f, name+capital(m.name), m.members)
		}
	}
	p.say(nil, "")
	p.say(f, "type "+name+" {")
	for _, m := range members {
		text := m.typeText(name+capital(m.name), "String")
		if m.nonNull {
			text += "!"
		}
		p.say(f, "  "+m.name+": "+text)
	}
	p.say(nil, "}")
}

// home is @table or @view, where the names that follow from the type's are others.
func (p *pull) home(t *pulledType) string {
	of := schema.NamesOf(t.name)
	var args []string
	if p.existing.Database != "main" {
		args = append(args, "db: "+quoteSDL(p.existing.Database))
	}
	if of.Table != t.table.Name {
		args = append(args, "name: "+quoteSDL(t.table.Name))
	}
	if !of.Regular {
		args = append(args, "plural: "+quoteSDL(of.Plural))
	}
	switch {
	case len(args) == 0 && t.isView():
		return " @view"
	case len(args) == 0:
		return ""
	case t.isView():
		return " @view(" + strings.Join(args, ", ") + ")"
	}
	return " @table(" + strings.Join(args, ", ") + ")"
}

// keys are the constraints and indexes that do not stand on a field.
func (p *pull) keys(t *pulledType) string {
	if t.isView() {
		return ""
	}
	var b strings.Builder
	for _, u := range t.table.Uniques {
		if p.sayable(t, u, true) && !onField(u) {
			b.WriteString("\n  @unique(fields: " + indexed(t, u) + p.indexArgs(t, u, true) + ")")
		}
	}
	for _, ix := range t.table.Indexes {
		if p.sayable(t, ix, false) && !onField(ix) {
			b.WriteString("\n  @index(fields: " + indexed(t, ix) + p.indexArgs(t, ix, false) + ")")
		}
	}
	return b.String()
}

// onField is whether an index stands on its only field.
func onField(ix ExistingIndex) bool {
	return len(ix.Columns) == 1 && ix.Where == "" && !strings.HasPrefix(ix.Columns[0], "-")
}

// sayable is whether an index can be in the schema; else it is named in a comment.
func (p *pull) sayable(t *pulledType, ix ExistingIndex, unique bool) bool {
	what := map[bool]string{true: "unique index", false: "index"}[unique]
	note := func(why string) bool {
		if text := fmt.Sprintf("%s %s: %s", what, ix.Name, why); !slices.Contains(t.alone, text) {
			t.alone = append(t.alone, text)
		}
		return false
	}
	switch {
	case ix.Odd != "":
		return note(ix.Odd)
	case unique && ix.Where != "":
		return note("it is unique only where " + ix.Where)
	}
	if same := t.saysAlready(ix); unique && same != "" {
		return note("it says the same as " + same)
	}
	for _, c := range ix.Columns {
		f := t.field(strings.TrimPrefix(c, "-"))
		if f == nil {
			return note("it is on " + c + ", which is not in the schema")
		}
		if f.list || f.scalar == schema.JSON {
			return note("it is on " + c + ", of which a schema knows no index")
		}
		if unique && strings.HasPrefix(c, "-") {
			return note("it is descending")
		}
	}
	return true
}

// saysAlready is what makes the same columns unique before a unique index does, or "".
func (t *pulledType) saysAlready(ix ExistingIndex) string {
	if sameColumns(t.table.Primary, ix.Columns) {
		return "the primary key"
	}
	for _, o := range t.table.Uniques {
		if o.Name == ix.Name && slices.Equal(o.Columns, ix.Columns) {
			return ""
		}
		if o.Odd == "" && o.Where == "" && sameColumns(o.Columns, ix.Columns) {
			return cmp.Or(o.Name, "another")
		}
	}
	return ""
}

func indexed(t *pulledType, ix ExistingIndex) string {
	quoted := make([]string, len(ix.Columns))
	for i, c := range ix.Columns {
		plain, desc := strings.CutPrefix(c, "-")
		name := t.field(plain).name
		if desc {
			name = "-" + name
		}
		quoted[i] = quoteSDL(name)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// indexArgs are a name that does not follow from the columns, and a condition.
func (p *pull) indexArgs(t *pulledType, ix ExistingIndex, unique bool) string {
	text := ""
	plain := make([]string, len(ix.Columns))
	for i, c := range ix.Columns {
		plain[i] = strings.TrimPrefix(c, "-")
	}
	if ix.Name != "" && ix.Name != schema.ConstraintOf(t.table.Name, plain, unique) {
		text += ", name: " + quoteSDL(ix.Name)
	}
	if ix.Where != "" {
		text += ", where: " + quoteSDL(ix.Where)
	}
	return text
}

// member is a field with all that is said of it.
func (p *pull) member(f *pulledField) string {
	if f.column == nil {
		return f.linkMember()
	}
	c, t := f.column, f.owner
	text := f.name + ": " + f.typeText()
	if c.NonNull && !t.isView() || f.isPrimary() {
		text += "!"
	}
	add := func(directive string) { text += " @" + directive }
	if f.isPrimary() {
		add("primary")
	}
	if c.Counted && slices.Equal(t.table.Primary, []string{c.Name}) {
		add("autoIncrement")
	}
	if args := f.columnArgs(); args != "" {
		add("column(" + args + ")")
	}
	if f.size > 0 && !t.isView() {
		add("size(max: " + strconv.Itoa(f.size) + ")")
	}
	if f.scalar == schema.Decimal && f.native == "" && (f.precision != schema.MaxDigits || f.scale != sqliteScale) {
		add(fmt.Sprintf("decimal(precision: %d, scale: %d)", f.precision, f.scale))
	}
	if t.isView() {
		return text
	}
	if f.min != "" {
		add("range(min: " + f.min + ", max: " + f.max + ")")
	}
	switch {
	case f.literal != "":
		add("default(value: " + f.literal + ")")
	case f.sql != "":
		add("default(sql: " + quoteSDL(f.sql) + ")")
	}
	return text + p.fieldKeys(f)
}

func (f *pulledField) typeText() string {
	if f.id {
		return "ID"
	}
	return f.reading.typeText(f.holder, f.enum)
}

// typeText is the type in SDL, of which an embedded type and an enum have names.
func (r reading) typeText(embedded, enum string) string {
	name := r.scalar.String()
	switch r.scalar {
	case schema.EnumValue:
		name = enum
	case schema.Embedded:
		name = embedded
	}
	switch {
	case r.list && r.whole:
		return "[" + name + "!]"
	case r.list:
		return "[" + name + "]"
	}
	return name
}

func (f *pulledField) columnArgs() string {
	var args []string
	if schema.ColumnOf(f.name) != f.column.Name {
		args = append(args, "name: "+quoteSDL(f.column.Name))
	}
	if f.native != "" {
		args = append(args, "type: "+quoteSDL(f.native))
	}
	return strings.Join(args, ", ")
}

// fieldKeys are the constraints and indexes of one column.
func (p *pull) fieldKeys(f *pulledField) string {
	text := ""
	say := func(directive string, args string) {
		text += " @" + directive
		if args = strings.TrimPrefix(args, ", "); args != "" {
			text += "(" + args + ")"
		}
	}
	mine := func(ix ExistingIndex) bool { return onField(ix) && ix.Columns[0] == f.column.Name }
	for _, u := range f.owner.table.Uniques {
		if mine(u) && p.sayable(f.owner, u, true) {
			say("unique", p.indexArgs(f.owner, u, true))
		}
	}
	for _, ix := range f.owner.table.Indexes {
		if mine(ix) && p.sayable(f.owner, ix, false) {
			say("index", p.indexArgs(f.owner, ix, false))
		}
	}
	return text
}

func (f *pulledField) linkMember() string {
	typ := f.target.name
	switch {
	case f.many:
		typ = "[" + typ + "!]!"
	case f.req:
		typ += "!"
	}
	args := f.args
	if f.via != nil {
		args = "through: " + quoteSDL(f.via.name)
	}
	return f.name + ": " + typ + " @link(" + args + ")"
}
