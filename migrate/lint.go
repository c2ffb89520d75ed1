package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/schema"
)

// describe says what a change is, and asks the data what it does to it.
func (d *draft) describe(ctx context.Context, have, want *atlas.Table, sources []source, c atlas.Change) (Change, error) {
	l := lint{draft: d, ctx: ctx, have: have, want: want, sources: sources}
	change := l.judge(c)
	change.part = partOf(c, func(name string) string { return d.have.column(want.Name, name) })
	switch c := c.(type) {
	case *atlas.DropColumn:
		return d.unread(ctx, change, want.Name, c.C.Name, l.err)
	case *atlas.ModifyColumn:
		if c.Change.Is(atlas.ChangeType) && d.typeName(c.From.Type.Type) != d.typeName(c.To.Type.Type) {
			return d.unread(ctx, change, want.Name, c.To.Name, l.err)
		}
	}
	return change, l.err
}

// unread judges that no view of somebody else reads what goes or becomes another thing.
func (d *draft) unread(ctx context.Context, change Change, table, column string, err error) (Change, error) {
	if err != nil || change.Verdict == Impossible {
		return change, err
	}
	was := column
	if column != "" {
		was = d.have.column(table, column)
	}
	names, err := d.readers(ctx, d.conn, d.have.table(table), was)
	names = slices.DeleteFunc(names, func(name string) bool {
		_, ours := d.have.record.Views[name]
		return ours
	})
	if err != nil || len(names) == 0 {
		return change, err
	}
	return change.impossible("%s %s it and %s not made here; drop %s first, and make %[4]s again after", "view "+strings.Join(names, ", "),
		verb(len(names), "reads", "read"), verb(len(names), "was", "were"), verb(len(names), "it", "them")), nil
}

// lint judges the changes of one table. Its first error ends it.
type lint struct {
	*draft
	ctx        context.Context //nolint:containedctx // of the one call that it lives for
	have, want *atlas.Table
	sources    []source
	err        error
}

func (l *lint) judge(c atlas.Change) Change {
	t := l.want.Name
	switch c := c.(type) {
	case *atlas.AddColumn:
		return l.addColumn(c.C)
	case *atlas.DropColumn:
		return l.dropColumn(c.C)
	case *atlas.ModifyColumn:
		return l.modifyColumn(c)
	case *atlas.AddIndex:
		return l.index("add", c.I)
	case *atlas.ModifyIndex:
		return l.index("change", c.To)
	case *atlas.DropIndex:
		return Change{Comment: "drop " + indexName(l.want, c.I)}
	case *atlas.AddPrimaryKey:
		return l.primaryKey(c.P)
	case *atlas.ModifyPrimaryKey:
		return l.primaryKey(c.To)
	case *atlas.DropPrimaryKey:
		return Change{Comment: "drop the primary key of " + t}
	case *atlas.AddForeignKey:
		return l.foreignKey("add", c.F)
	case *atlas.ModifyForeignKey:
		return l.foreignKey("change", c.To)
	case *atlas.DropForeignKey:
		return Change{Comment: "drop " + foreignKeyName(c.F)}
	case *atlas.AddCheck:
		return l.check("add", c.C)
	case *atlas.ModifyCheck:
		change := l.check("change", c.To)
		had := literals(c.From.Expr)
		change.lacks = len(had) == 0 || slices.ContainsFunc(literals(c.To.Expr), func(value string) bool { return !slices.Contains(had, value) })
		return change
	case *atlas.DropCheck:
		return Change{Comment: "drop check " + c.C.Name + " of " + t}
	}
	return Change{Comment: fmt.Sprintf("change how %s is stored", t), lacks: true}
}

func (l *lint) addColumn(c *atlas.Column) Change {
	change := Change{Comment: "add column " + l.want.Name + "." + c.Name, lacks: true}
	rows := l.countRows()
	if rows == 0 || c.Type.Null {
		return change
	}
	if s := l.source(c); s.fill != "" {
		change.Check = fmt.Sprintf("%s of %s %s %s", count(rows, "row"), l.want.Name, verb(rows, "gets", "get"), bare(s.fill))
		return change
	}
	return change.impossible("it is required, and %s has %s; %s", l.want.Name, count(rows, "row"),
		l.undo.or("what it held is gone, so apply a schema in which it may be null, and go on from there", "give it @default(value: …), or take off the !"))
}

func (l *lint) dropColumn(c *atlas.Column) Change {
	change := Change{Comment: "drop column " + l.want.Name + "." + c.Name}
	values, err := l.values(l.ctx, l.want.Name, c.Name)
	l.fail(err)
	switch {
	case values > 0:
		return change.destroys("%s of %s %s a value in it", count(values, "row"), l.want.Name, verb(values, "holds", "hold")).
			loses("what %s of %s held in %s", count(values, "row"), l.want.Name, c.Name)
	case l.policy == Exact:
		return change.destroys("no row holds a value in it, but servers of an older version ask for it")
	}
	change.Check = "no row holds a value in it"
	return change
}

func (l *lint) modifyColumn(m *atlas.ModifyColumn) Change {
	s := l.source(m.To)
	name := l.want.Name + "." + m.To.Name
	change := Change{lacks: true}
	var what []string
	if m.Change.Is(atlas.ChangeType) {
		from, to := l.kinds(s)
		what = append(what, "from "+from+" to "+to)
	}
	if m.Change.Is(atlas.ChangeNull) {
		what = append(what, map[bool]string{true: "nullable", false: "required"}[m.To.Type.Null])
	}
	if m.Change.Is(atlas.ChangeDefault) {
		what = append(what, defaultText(m.To))
	}
	change.Comment = "change column " + name + ": " + strings.Join(what, ", ")
	needed := m.Change &^ atlas.ChangeDefault // which the server fills in itself
	if s.from == s.to && roomier(m.From.Type.Type, m.To.Type.Type) {
		needed &^= atlas.ChangeType
	}
	change.lacks = needed != 0
	if l.countRows() == 0 {
		return change
	}
	if m.Change.Is(atlas.ChangeType) {
		change = l.converted(change, s)
	}
	if m.Change.Is(atlas.ChangeNull) && !m.To.Type.Null && change.Verdict != Impossible {
		change = l.required(change, s)
	}
	return change
}

// roomier is whether a text column holds all that is wanted of it, and more: an older version
// of a schema goes on being served with it.
func roomier(have, want atlas.Type) bool {
	h, text := have.(*atlas.StringType)
	w, also := want.(*atlas.StringType)
	return text && also && (h.Size == 0 || w.Size > 0 && h.Size >= w.Size)
}

func defaultText(c *atlas.Column) string {
	if c.Default == nil {
		return "no default"
	}
	return "default " + bare(defaultSQL(c))
}

// bare is an expression without brackets around it, for people.
func bare(expr string) string {
	if strings.HasPrefix(expr, "(") && strings.HasSuffix(expr, ")") {
		return expr[1 : len(expr)-1]
	}
	return expr
}

// converted judges a change of type by the values that are there.
func (l *lint) converted(change Change, s source) Change {
	name := l.want.Name + "." + s.column.Name
	old := l.quote(s.was)
	from, to := l.kinds(s)
	conv, ok := l.convert(s, old)
	if !ok {
		if n := l.findNow(old + " IS NOT NULL"); n.rows > 0 {
			return change.impossible("no value of %s becomes one of %s by itself, and %s %s one; %s",
				from, to, n.of(name), verb(n.rows, "holds", "hold"), l.undo.or("empty it first", "add a field of another name, fill it, and drop this one"))
		}
		return change
	}
	if conv.fails != "" {
		n := l.findNow(old + " IS NOT NULL AND (" + conv.fails + ")")
		if text, ok := s.column.Type.Type.(*atlas.StringType); ok && n.rows > 0 && s.from == s.to && text.Size > 0 {
			return change.impossible("%s %s longer than %s; shorten %s first, or take a larger @size(max: …)", n.of(name), verb(n.rows, "is", "are"), count(text.Size, "character"), verb(n.rows, "it", "them"))
		}
		if n.rows > 0 {
			return change.impossible("%s %s no %s; correct %s first", n.of(name), verb(n.rows, "is", "are"), to, verb(n.rows, "it", "them"))
		}
		change.Check = fmt.Sprintf("every value of %s converts", name)
	}
	if conv.loses != "" {
		if n := l.findNow(old + " IS NOT NULL AND (" + conv.loses + ")"); n.rows > 0 {
			return change.destroys("%s would lose a part of %s value", n.of(name), verb(n.rows, "its", "their")).loses("a part of the value of %s", n.of(name))
		}
		change.Check = fmt.Sprintf("no value of %s loses a part", name)
	}
	return change
}

// required judges that a column takes no null any more.
func (l *lint) required(change Change, s source) Change {
	name := l.want.Name + "." + s.column.Name
	nulls := l.findNow(l.quote(s.was) + " IS NULL")
	switch {
	case nulls.rows == 0:
		change.Check = "no row of " + name + " is null"
	case s.fill == "":
		fill := "fill " + verb(nulls.rows, "it", "them") + " first"
		return change.impossible("%s %s null; %s", nulls.of(name), verb(nulls.rows, "is", "are"), l.undo.or(fill, "give it @default(value: …), "+fill+", or take off the !"))
	default:
		return change.destroys("%s %s null and would become %s", nulls.of(name), verb(nulls.rows, "is", "are"), bare(s.fill)).
			loses("that %s %s null, which became %s", nulls.of(name), verb(nulls.rows, "was", "were"), bare(s.fill))
	}
	return change
}

func (l *lint) index(what string, i *atlas.Index) Change {
	change := Change{Comment: what + " " + indexName(l.want, i), lacks: true}
	if !i.Unique || l.countRows() == 0 {
		return change
	}
	return l.unique(change, i, l.predicate(i))
}

// unique judges that rows must differ in the columns of an index.
func (l *lint) unique(change Change, i *atlas.Index, where string) Change {
	var names, columns, present []string
	for _, p := range i.Parts {
		if p.C == nil {
			return change // an expression, which the schema language does not have
		}
		names, columns = append(names, p.C.Name), append(columns, l.quote(p.C.Name))
		present = append(present, l.quote(p.C.Name)+" IS NOT NULL")
	}
	if where != "" {
		present = append(present, "("+where+")")
	}
	list, condition := strings.Join(columns, ", "), strings.Join(present, " AND ")
	doubles := l.find(condition + " AND (" + list + ") IN (SELECT " + list + " FROM " + l.asWanted() + " AS them WHERE " + condition + " GROUP BY " + list + " HAVING count(*) > 1)")
	name := l.want.Name + " (" + strings.Join(names, ", ") + ")"
	if doubles.rows == 0 {
		change.Check = "no two rows of " + name + " are equal"
		return change
	}
	return change.impossible("%s share their values with another row; make them differ first", doubles.of(name))
}

func (l *lint) primaryKey(i *atlas.Index) Change {
	var names, nulls []string
	for _, p := range i.Parts {
		names, nulls = append(names, p.C.Name), append(nulls, l.quote(p.C.Name)+" IS NULL")
	}
	change := Change{Comment: fmt.Sprintf("change the primary key of %s to (%s)", l.want.Name, strings.Join(names, ", ")), lacks: true}
	if l.countRows() == 0 {
		return change
	}
	if n := l.find(strings.Join(nulls, " OR ")); n.rows > 0 {
		return change.impossible("%s %s no value for it; fill %s first", n.of(l.want.Name), verb(n.rows, "has", "have"), verb(n.rows, "it", "them"))
	}
	return l.unique(change, i, "")
}

func (l *lint) foreignKey(what string, fk *atlas.ForeignKey) Change {
	change := Change{Comment: what + " " + foreignKeyName(fk), lacks: true}
	if l.countRows() == 0 {
		return change
	}
	var present, equal []string
	for i, c := range fk.Columns {
		present = append(present, "it."+l.quote(c.Name)+" IS NOT NULL")
		equal = append(equal, "target."+l.quote(fk.RefColumns[i].Name)+" = it."+l.quote(c.Name))
	}
	condition := strings.Join(present, " AND ")
	if target := l.target(fk.RefTable); target != "" {
		condition += " AND NOT EXISTS (SELECT 1 FROM " + target + " AS target WHERE " + strings.Join(equal, " AND ") + ")"
	}
	name := l.want.Name + "." + fk.Columns[0].Name
	n := l.find(condition)
	if n.rows == 0 {
		change.Check = "every " + name + " is there in " + fk.RefTable.Name
		return change
	}
	return change.impossible("%s %s to a row of %s that is not there; correct or delete %s first",
		n.of(name), verb(n.rows, "points", "point"), fk.RefTable.Name, verb(n.rows, "it", "them"))
}

// target is the table that a foreign key leads to, as it will be; "" for one that is made now.
func (l *lint) target(t *atlas.Table) string {
	if l.draft.have.served[t.Name] {
		return l.quote(t.Name)
	}
	have, ok := l.draft.have.tables.Table(t.Name)
	want, wanted := l.draft.want.tables.Table(t.Name)
	if !ok || !wanted {
		return ""
	}
	return imageOf(l.draft, have, want, l.draft.sources(have, want))
}

func (l *lint) check(what string, c *atlas.Check) Change {
	change := Change{Comment: what + " check " + c.Name + " of " + l.want.Name, lacks: true}
	field := ""
	if t := l.draft.want.byName[l.want.Name]; t != nil {
		for _, f := range t.Columns {
			if f.Enum != nil && strings.HasPrefix(c.Expr, "("+l.quote(f.Column)+" ") {
				field = l.want.Name + "." + f.Column
				change.Comment = what + " the values of " + field + " to those of " + f.Enum.Name
			}
		}
	}
	if l.countRows() == 0 {
		return change
	}
	n := l.find("NOT " + c.Expr)
	switch {
	case n.rows == 0:
		change.Check = "every row of " + l.want.Name + " meets it"
	case field != "":
		return change.impossible("%s %s a value that is not among them; give %s another one first, or keep the value", n.of(field), verb(n.rows, "holds", "hold"), verb(n.rows, "it", "them"))
	default:
		return change.impossible("%s %s it; correct %s first", n.of(l.want.Name), verb(n.rows, "breaks", "break"), verb(n.rows, "it", "them"))
	}
	return change
}

func (l *lint) source(c *atlas.Column) source {
	return l.sources[slices.IndexFunc(l.sources, func(s source) bool { return s.column == c })]
}

func (l *lint) countRows() int {
	n, err := l.rows(l.ctx, l.want.Name)
	l.fail(err)
	return n
}

func (l *lint) fail(err error) { l.err = errors.Join(l.err, err) }

func (c Change) impossible(format string, args ...any) Change {
	c.Verdict, c.Reason, c.Check = Impossible, fmt.Sprintf(format, args...), ""
	return c
}

// kinds are what a source was and will be: as the schema calls it, or where that is the same
// as the database does.
func (l *lint) kinds(s source) (from, to string) {
	from, to = l.typeOf(s.from, s.had.Type.Type), l.typeOf(s.to, s.column.Type.Type)
	if from == to {
		return l.typeName(s.had.Type.Type), l.typeName(s.column.Type.Type)
	}
	return from, to
}

// loses says what a change does away with, for who would undo it.
func (c Change) loses(format string, args ...any) Change {
	c.lost = fmt.Sprintf(format, args...)
	return c
}

func (c Change) destroys(format string, args ...any) Change {
	c.Verdict, c.Reason, c.Check = Destroys, fmt.Sprintf(format, args...), ""
	return c
}

// finding are rows that a condition is true of, some of them by their keys. Values other
// than keys are never shown: plans are printed, logged and kept.
type finding struct {
	rows int
	keys []string
}

// of is the finding in words: 17 rows of users.email (with key 3, 5, 9, …).
func (f finding) of(name string) string { return f.called("row", name) }

func (f finding) called(thing, name string) string {
	words := count(f.rows, thing) + " of " + name
	if len(f.keys) == 0 {
		return words
	}
	words += " (with key " + strings.Join(f.keys, ", ")
	if f.rows > len(f.keys) {
		words += ", …"
	}
	return words + ")"
}

// shownKeys is how many keys a message names.
const shownKeys = 3

// find looks for rows of the table as it will be.
func (l *lint) find(condition string) finding {
	key := make([]string, len(keyOf(l.have)))
	for i := range key {
		key[i] = l.quote(keyColumn(i))
	}
	return l.search(l.asWanted(), key, condition)
}

// findNow looks for rows of the table as it is.
func (l *lint) findNow(condition string) finding {
	key := keyOf(l.have)
	for i, name := range key {
		key[i] = l.quote(l.draft.have.column(l.want.Name, name))
	}
	return l.search(l.quote(l.draft.have.table(l.want.Name)), key, condition)
}

func (l *lint) search(table string, key []string, condition string) finding {
	var f finding
	if l.err != nil {
		return f
	}
	from := " FROM " + table + " AS it WHERE " + condition
	l.fail(l.equip(l.ctx, l.conn, from))
	if err := l.conn.QueryRowContext(l.ctx, "SELECT count(*)"+from).Scan(&f.rows); err != nil {
		l.fail(fmt.Errorf("check %s: %w", l.want.Name, err))
	}
	if f.rows > 0 && len(key) > 0 {
		f.keys = l.keys(key, from)
	}
	return f
}

func (l *lint) keys(key []string, from string) []string {
	rows, err := l.conn.QueryContext(l.ctx, fmt.Sprintf("SELECT %s%s LIMIT %d", l.shown(key), from, shownKeys))
	if err != nil {
		l.fail(err)
		return nil
	}
	defer rows.Close()
	var keys []string
	for rows.Next() {
		var k sql.NullString
		l.fail(rows.Scan(&k))
		keys = append(keys, k.String)
	}
	l.fail(rows.Err())
	return keys
}

func (l *lint) asWanted() string { return imageOf(l.draft, l.have, l.want, l.sources) }

// imageOf is a sub-query of a table's rows as they will be, with the key they have now.
func imageOf(d *draft, have, want *atlas.Table, sources []source) string {
	var columns []string
	for i, name := range keyOf(have) {
		columns = append(columns, d.quote(d.have.column(want.Name, name))+" AS "+d.quote(keyColumn(i)))
	}
	used := map[string]bool{}
	for _, s := range sources {
		columns = append(columns, d.image(s)+" AS "+d.quote(s.column.Name))
		used[s.column.Name] = true
	}
	return "(SELECT " + strings.Join(columns, ", ") + " FROM " + d.quote(d.have.table(want.Name)) + ")"
}

// keyColumn is a name that no column of a schema has.
func keyColumn(i int) string { return fmt.Sprintf("_key%d", i) }

// rows counts the rows of a table.
func (d *draft) rows(ctx context.Context, table string) (int, error) {
	name := d.have.table(table)
	if n, ok := d.counted[name]; ok {
		return n, nil
	}
	var n int
	if err := d.conn.QueryRowContext(ctx, "SELECT count(*) FROM "+d.quote(name)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the rows of %s: %w", name, err)
	}
	d.counted[name] = n
	return n, nil
}

// values counts the rows that hold a value in a column.
func (d *draft) values(ctx context.Context, table, column string) (n int, err error) {
	name := d.have.table(table)
	err = d.conn.QueryRowContext(ctx, "SELECT count("+d.quote(d.have.column(table, column))+") FROM "+d.quote(name)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the values of %s.%s: %w", name, column, err)
	}
	return n, nil
}

func indexName(t *atlas.Table, i *atlas.Index) string {
	names := make([]string, len(i.Parts))
	for n, p := range i.Parts {
		if p.C != nil {
			names[n] = p.C.Name
		}
		if p.Desc {
			names[n] += " desc"
		}
	}
	kind := "index"
	if i.Unique {
		kind = "unique"
	}
	return fmt.Sprintf("%s on %s (%s)", kind, t.Name, strings.Join(names, ", "))
}

func foreignKeyName(fk *atlas.ForeignKey) string {
	names := make([]string, len(fk.Columns))
	for i, c := range fk.Columns {
		names[i] = c.Name
	}
	return fmt.Sprintf("foreign key %s (%s) to %s", fk.Table.Name, strings.Join(names, ", "), fk.RefTable.Name)
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
