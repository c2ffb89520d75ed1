package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// linkUse is a link between being read and being resolved.
type linkUse struct {
	field    *Field
	use      use
	uses     []use // all directives on the field
	target   *Type
	from, to []string
	through  string
	primary  bool
	state    linkState
}

type linkState uint8

const (
	unresolved linkState = iota
	visiting             // its key is being asked for: asking again is a circle
	resolved
	failed
)

// name is how problems call the link: Post.author.
func (l *linkUse) name() string { return l.field.Owner.Name + "." + l.field.Name }

// bare is whether the SDL leaves the columns to us.
func (l *linkUse) bare() bool { return len(l.from) == 0 && len(l.to) == 0 && l.through == "" }

// noteLink checks the form of a field that leads to a table or view.
func (c *checker) noteLink(f *Field, fd *ast.FieldDefinition, target *Type) {
	f.Scalar, f.Column = NoScalar, ""
	l := &linkUse{field: f, target: target, uses: c.uses[fd]}
	f.Link = &Link{Target: target, Many: f.List}
	f.List, f.ElemNull = false, false
	u, ok := c.find(fd, "link")
	switch {
	case f.Owner.Kind == Embed:
		c.errorf(fd.Position, "%s: %s is an embedded value, for it has no @primary field, and values have no links; hold the key of the %s instead, or add \"id: ID! @primary\"", l.name(), f.Owner.Name, target.Name)
		l.fail(c)
		return
	case !ok:
		c.errorf(fd.Position, "%s: %s is a %s; say %s: %s @link", l.name(), target.Name, target.Kind, f.Name, fd.Type)
		l.fail(c)
		return
	case f.Link.Many && (!fd.Type.NonNull || !fd.Type.Elem.NonNull):
		c.errorf(fd.Type.Position, "%s: a list of rows and its rows are never null; write [%s!]! @link", l.name(), target.Name)
	}
	l.use = u
	l.from, l.to, l.through = u.texts("from"), u.texts("to"), u.text("through")
	c.linkDirectives(l)
	if l.state != failed {
		c.links = append(c.links, l)
	}
}

func (k Kind) String() string { return [...]string{"table", "view", "embedded value"}[k] }

// fail leaves a link out of the schema; a problem has said why.
func (l *linkUse) fail(c *checker) {
	l.state = failed
	t := l.field.Owner
	c.broken[t][l.field.Name] = true
	delete(t.byName, l.field.Name)
	t.Fields = slices.DeleteFunc(t.Fields, func(f *Field) bool { return f == l.field })
}

// linkDirectives reads what stands beside @link. What is said of the key waits until it is known.
func (c *checker) linkDirectives(l *linkUse) {
	f := l.field
	for _, u := range l.uses {
		switch u.Name {
		case "link":
		case "auth":
			c.setRules(f, u)
		case "hidden":
			f.Hidden = true
		case "primary", "id":
			l.primary = true
		case "unique", "index", "column", "renamed":
		default:
			c.errorf(u.Position, "%s: @%s cannot stand on a link", l.name(), u.Name)
			continue
		}
		if f.Link.Many && u.Name != "link" && u.Name != "auth" && u.Name != "hidden" {
			c.errorf(u.Position, "%s: @%s is for a key, and a list holds none; say it on the other side", l.name(), u.Name)
		}
	}
	if l.through != "" && !f.Link.Many {
		c.errorf(l.use.Position, "%s: through is for lists; write %s: [%s!]! @link(through: %q), or leave through out", l.name(), f.Name, l.target.Name, l.through)
		l.fail(c)
	}
	if l.primary && !f.Link.Many && !f.NonNull {
		c.errorf(l.use.Position, "%s: a primary key cannot be null; write %s!", l.name(), l.target.Name)
	}
}

// resolveLinks finds the columns of every link. Keys come first, because everything else is
// found by them: inferred ones, then declared ones, then lists.
func (c *checker) resolveLinks() {
	c.eachLink(func(l *linkUse) bool { return !l.field.Link.Many && len(l.from) == 0 && c.uniqueBack(l) == nil }, c.inferKey)
	for _, t := range c.schema.Types {
		t.Primary = c.key(t)
	}
	c.eachLink(func(l *linkUse) bool { return !l.field.Link.Many && len(l.from) == 0 }, c.inverseOne)
	c.eachLink(func(l *linkUse) bool { return !l.field.Link.Many }, c.declaredKey)
	c.resolveIndexes()
	c.eachLink(func(l *linkUse) bool { return l.through == "" && !l.bare() }, c.declaredList)
	c.eachLink(func(l *linkUse) bool { return l.bare() && !c.manyToMany(l) }, c.inverseList)
	c.eachLink(func(l *linkUse) bool { return l.bare() }, c.joinTable)
	c.eachLink(func(*linkUse) bool { return true }, c.throughType)
	c.holdIntegers()
	c.eachResolved(c.checkLink)
	c.eachResolved(c.indexKey)
	c.eachResolved(pair)
}

// uniqueBack is the link that a plain to-one link is the other side of: the only to-one link
// back, of which the key is unique. profile: Profile @link is then found by
// user: User! @link @unique, as a list is by its type, and owns no key of its own.
func (c *checker) uniqueBack(l *linkUse) *linkUse {
	if !l.bare() || l.primary || l.field.NonNull || len(l.uses) != 1 || l.use.written("onDelete") != nil {
		return nil
	}
	var back *linkUse
	for _, o := range c.links {
		switch {
		case o == l || o.field.Link.Many:
		case o.field.Owner == l.field.Owner && o.target == l.target:
			return nil // which of the two is the other side would be a guess
		case o.field.Owner == l.target && o.target == l.field.Owner:
			if back != nil || len(o.from) > 0 || !c.unique(o) {
				return nil
			}
			back = o
		}
	}
	return back
}

// unique is whether at most one row holds a key of the link: @unique says so, and @primary
// where it is all of the primary key.
func (c *checker) unique(l *linkUse) bool {
	if slices.ContainsFunc(l.uses, func(u use) bool { return u.Name == "unique" }) {
		return true
	}
	t := l.field.Owner
	shared := slices.ContainsFunc(t.Fields, func(f *Field) bool { return f.IsPrimary && !f.IsLink() && !f.Inferred }) ||
		slices.ContainsFunc(c.links, func(o *linkUse) bool { return o != l && o.field.Owner == t && o.primary })
	return l.primary && !shared
}

// inverseOne says of the other side of a one-to-one link which columns it is found by; it is
// resolved with those that said so themselves.
func (c *checker) inverseOne(l *linkUse) {
	back := c.uniqueBack(l)
	if back == nil || back.state != resolved {
		l.fail(c) // a problem of the other side says why
		return
	}
	for i, key := range back.field.Link.To {
		l.from = append(l.from, key.Name)
		l.to = append(l.to, back.field.Link.From[i].Name)
	}
}

func (c *checker) eachLink(which func(*linkUse) bool, do func(*linkUse)) {
	for _, l := range c.links {
		if l.state == unresolved && which(l) {
			do(l)
		}
	}
}

func (c *checker) eachResolved(do func(*linkUse)) {
	for _, l := range c.links {
		if l.state == resolved {
			do(l)
		}
	}
}

// key is the primary key of a type, for which links that are part of it are resolved first.
func (c *checker) key(t *Type) []*Field {
	for _, l := range c.links {
		if l.field.Owner != t || !l.primary || l.field.Link.Many {
			continue
		}
		switch {
		case l.state == visiting:
			c.errorf(l.use.Position, "%s: the primary keys of %s and %s need each other; give one of them a field of its own as @primary", l.name(), t.Name, l.target.Name)
			l.fail(c)
		case l.state == unresolved && len(l.from) == 0:
			c.inferKey(l)
		case l.state == unresolved:
			for _, f := range c.columns(l, t, l.from, "from") {
				f.IsPrimary = true
			}
		}
	}
	var key []*Field
	for _, f := range t.Fields {
		if f.IsPrimary && !f.IsLink() {
			key = append(key, f)
		}
	}
	return key
}

// columns are the columns of t by their names; nil and a problem when one is none.
func (c *checker) columns(l *linkUse, t *Type, names []string, arg string) []*Field {
	var out []*Field
	for _, name := range names {
		f := t.byName[name]
		switch {
		case c.broken[t][name]:
			return nil
		case f == nil:
			c.errorf(l.argument(arg), "%s: %s has no field %s%s", l.name(), t.Name, clip(name), DidYouMean(name, t.columnNames()))
			return nil
		case f.IsLink():
			c.errorf(l.argument(arg), "%s: %s.%s is a link; name its key, which is a field like %s", l.name(), t.Name, name, name+"Id")
			return nil
		}
		out = append(out, f)
	}
	return out
}

func (l *linkUse) argument(name string) *ast.Position {
	if v := l.use.written(name); v != nil {
		return v.Position
	}
	return l.use.Position
}

func (t *Type) columnNames() []string {
	var names []string
	for _, f := range t.Fields {
		if !f.IsLink() {
			names = append(names, f.Name)
		}
	}
	return names
}

// inferKey makes the key columns of a to-one link: authorId before author.
func (c *checker) inferKey(l *linkUse) {
	l.state = visiting
	to := c.columns(l, l.target, l.to, "to")
	if len(l.to) == 0 {
		to = c.key(l.target)
	}
	if l.state == failed {
		return
	}
	if len(to) == 0 {
		if len(l.to) == 0 && !c.circle(l) {
			c.errorf(l.use.Position, "%s: %s has no primary key to point to; say @link(from: …, to: …)", l.name(), l.target.Name)
		}
		l.fail(c)
		return
	}
	var from []*Field
	for _, k := range to {
		f := c.inferredField(l, k, len(to))
		if f == nil {
			l.fail(c)
			return
		}
		from = append(from, f)
	}
	t := l.field.Owner
	at := slices.Index(t.Fields, l.field)
	t.Fields = slices.Insert(t.Fields, at, from...)
	for _, f := range from {
		t.byName[f.Name] = f
	}
	l.own(c, from, to)
}

// circle is whether a problem has said already why the target has no key.
func (c *checker) circle(l *linkUse) bool {
	return slices.ContainsFunc(c.links, func(o *linkUse) bool { return o.field.Owner == l.target && o.primary }) || len(c.broken[l.target]) > 0
}

func (c *checker) inferredField(l *linkUse, k *Field, parts int) *Field {
	link := l.field
	f := &Field{
		Name: link.Name + upperFirst(k.Name), Pos: link.Pos, Owner: link.Owner,
		Description: "The key of " + link.Name + ".",
		Scalar:      k.Scalar, Enum: k.Enum, NonNull: link.NonNull, Native: nativeIn(link.Owner, k), Size: k.Size,
		Precision: k.Precision, Scale: k.Scale,
		Index: -1, Inferred: true, IsPrimary: l.primary, Hidden: link.Hidden, Rules: link.Rules,
	}
	f.Column = snake(f.Name)
	if other := link.Owner.byName[f.Name]; other != nil {
		c.errorf(l.use.Position, "%s makes its key %s, which is declared as well; say @link(from: %q, to: %q) to use it, or remove it", l.name(), f.Name, f.Name, k.Name)
		return nil
	}
	for _, u := range l.uses {
		switch {
		case u.Name == "renamed":
			f.Renamed = c.renamed(u, link.Name) + upperFirst(k.Name)
		case u.Name == "column" && parts > 1:
			c.errorf(u.Position, "%s has %d key columns; declare them with @column each, and say @link(from: […], to: […])", l.name(), parts)
		case u.Name == "column":
			c.setColumn(f, u)
		}
	}
	if link.Owner.Kind == Table {
		c.physical(f.Column, link.Pos)
	}
	return f
}

// nativeIn is the native type of a key in the table that holds it: that of the key itself, which another
// database may not know.
func nativeIn(holder *Type, key *Field) string {
	if holder.DB != key.Owner.DB {
		return ""
	}
	return key.Native
}

// own makes the link the one that holds the key.
func (l *linkUse) own(c *checker, from, to []*Field) {
	link := l.field.Link
	link.From, link.To, link.Owns = from, to, true
	link.Enforced = l.field.Owner.DB == l.target.DB && l.field.Owner.Kind == Table && l.target.Kind == Table
	switch l.use.text("onDelete") {
	case "CASCADE":
		link.OnDelete = Cascade
	case "SET_NULL":
		link.OnDelete = SetNull
	}
	for _, u := range l.uses {
		if u.Name == "unique" || u.Name == "index" {
			if l.field.Owner.Kind == View {
				c.errorf(u.Position, "%s: @%s is for tables, and %s is a view, which is only read", l.name(), u.Name, l.field.Owner.Name)
				continue
			}
			c.indexes = append(c.indexes, indexUse{owner: l.field.Owner, field: l.field, use: u})
		}
	}
	l.state = resolved
}

// declaredKey resolves a to-one link over declared columns. It owns the key or is the inverse
// of a one-to-one link that does:
//
//   - the other side has a link over the same columns: that one owns if it made its key
//     itself, or else the one of the two that is not null;
//   - or else the side whose columns are not its primary key owns (Profile.userId, not User.id);
//   - and of two primary keys the one whose link is not null.
func (c *checker) declaredKey(l *linkUse) {
	from := c.columns(l, l.field.Owner, l.from, "from")
	names := l.to
	to := c.columns(l, l.target, names, "to")
	if len(names) == 0 {
		to = l.target.Primary
	}
	if len(from) == 0 || len(to) == 0 {
		if len(from) > 0 && len(names) == 0 {
			c.errorf(l.use.Position, "%s: %s has no primary key; say to: as well", l.name(), l.target.Name)
		}
		l.fail(c)
		return
	}
	if !c.sameShape(l, from, to) {
		l.fail(c)
		return
	}
	if c.owns(l, from, to) {
		l.own(c, from, to)
		for _, u := range l.uses {
			if u.Name == "column" || u.Name == "renamed" {
				c.errorf(u.Position, "%s: the key is declared; say @%s on %s", l.name(), u.Name, from[0].Name)
			}
		}
		return
	}
	l.inverse(c, from, to)
}

func (c *checker) owns(l *linkUse, from, to []*Field) bool {
	for _, o := range c.links {
		if o == l || o.field.Owner != l.target || o.target != l.field.Owner || o.field.Link.Many || o.state == failed {
			continue
		}
		if o.state == resolved && slices.Equal(o.field.Link.From, to) && slices.Equal(o.field.Link.To, from) {
			return !o.field.Link.Owns
		}
		if o.state == unresolved && slices.Equal(o.from, fieldNames(to)) && o.field.NonNull != l.field.NonNull {
			return l.field.NonNull
		}
	}
	if !sameFields(from, l.field.Owner.Primary) {
		return true
	}
	return sameFields(to, l.target.Primary) && l.field.NonNull
}

func fieldNames(fs []*Field) []string {
	names := make([]string, len(fs))
	for i, f := range fs {
		names[i] = f.Name
	}
	return names
}

// sameFields is whether two keys hold the same fields in any order.
func sameFields(a, b []*Field) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(f *Field) bool { return !slices.Contains(b, f) })
}

// inverse makes the link one that finds rows by their key.
func (l *linkUse) inverse(c *checker, from, to []*Field) {
	link := l.field.Link
	link.From, link.To = from, to
	l.state = resolved
	if v := l.use.written("onDelete"); v != nil {
		c.errorf(v.Position, "%s: onDelete belongs to the link that holds the key, on the side of %s", l.name(), l.target.Name)
	}
	for _, u := range l.uses {
		if !link.Many && slices.Contains([]string{"primary", "id", "unique", "index", "column", "renamed"}, u.Name) {
			c.errorf(u.Position, "%s: @%s is for the link that holds the key, on the side of %s", l.name(), u.Name, l.target.Name)
		}
	}
}

// sameShape is whether the columns of both sides can be compared.
func (c *checker) sameShape(l *linkUse, from, to []*Field) bool {
	if len(from) != len(to) {
		c.errorf(l.use.Position, "%s: from names %d fields and to %d; they belong together one by one", l.name(), len(from), len(to))
		return false
	}
	for i := range from {
		a, b := from[i], to[i]
		if a.List || b.List || a.Scalar != b.Scalar || a.Enum != b.Enum || !isIndexable(a) {
			c.errorf(l.use.Position, "%s: %s.%s is %s and %s.%s is %s; linked fields hold one value of the same type", l.name(), a.Owner.Name, a.Name, a.TypeText(), b.Owner.Name, b.Name, b.TypeText())
			return false
		}
	}
	return true
}

// declaredList resolves a list over declared columns; from is the primary key unless said.
func (c *checker) declaredList(l *linkUse) {
	from, to := l.field.Owner.Primary, c.columns(l, l.target, l.to, "to")
	if len(l.from) > 0 {
		from = c.columns(l, l.field.Owner, l.from, "from")
	}
	if len(l.to) == 0 {
		c.errorf(l.use.Position, "%s: say to: as well, the fields of %s that hold the key", l.name(), l.target.Name)
	} else if len(from) == 0 && len(l.from) == 0 {
		c.errorf(l.use.Position, "%s: %s has no primary key; say from: as well", l.name(), l.field.Owner.Name)
	}
	if len(from) == 0 || len(to) == 0 || !c.sameShape(l, from, to) {
		l.fail(c)
		return
	}
	l.inverse(c, from, to)
}

// keysTo are the links of target that hold a key of owner.
func (c *checker) keysTo(owner, target *Type) (found []*Field) {
	for _, f := range target.Fields {
		if f.IsLink() && f.Link.Owns && f.Link.Target == owner {
			found = append(found, f)
		}
	}
	return found
}

// lists are the bare lists of owner that lead to target.
func (c *checker) lists(owner, target *Type) (found []*linkUse) {
	for _, l := range c.links {
		if l.field.Owner == owner && l.target == target && l.field.Link.Many && l.bare() && l.state != failed {
			found = append(found, l)
		}
	}
	return found
}

func (c *checker) manyToMany(l *linkUse) bool {
	return len(c.keysTo(l.field.Owner, l.target)) == 0 && len(c.lists(l.target, l.field.Owner)) > 0
}

// inverseList resolves a bare list by the one link of its target that leads back.
func (c *checker) inverseList(l *linkUse) {
	owner, target := l.field.Owner, l.target
	keys := c.keysTo(owner, target)
	rivals := c.lists(owner, target)
	switch {
	case len(keys) == 0 && len(c.broken[target]) > 0:
		// The link back may be among what is wrong.
	case len(keys) == 0:
		c.errorf(l.use.Position, "%s: nothing in %s leads back to %s; add \"%s: %s! @link\" there for one-to-many, or \"%s: [%s!]! @link\" for many-to-many", l.name(), target.Name, owner.Name, camel(owner.Name), owner.Name, owner.Plural, owner.Name)
	case len(keys) > 1:
		c.errorf(l.use.Position, "%s: both %s.%s and %s.%s lead to %s; say which by @link(to: %q)", l.name(), target.Name, keys[0].Name, target.Name, keys[1].Name, owner.Name, keys[0].Link.From[0].Name)
	case len(rivals) > 1:
		c.errorf(l.use.Position, "%s and %s would both be the inverse of %s.%s; say @link(to: …) or @link(through: …) on one of them", rivals[0].name(), rivals[1].name(), target.Name, keys[0].Name)
		for _, r := range rivals {
			r.fail(c)
		}
	default:
		l.inverse(c, keys[0].Link.To, keys[0].Link.From)
		return
	}
	if l.state != failed {
		l.fail(c)
	}
}

// joinTable makes the table behind lists on both sides.
func (c *checker) joinTable(l *linkUse) {
	a, b := l.field.Owner, l.target
	mine, theirs := c.lists(a, b), c.lists(b, a)
	problem := ""
	switch {
	case a == b:
		problem = l.name() + ": many-to-many of a type with itself needs a join type; declare one with two links, and say @link(through: …, from: …, to: …)"
	case len(theirs) == 0:
		// A problem of the other side's link was said.
	case len(mine) > 1 || len(theirs) > 1:
		pair := slices.Concat(mine, theirs)
		problem = l.name() + ": more than two lists join " + a.Name + " and " + b.Name + " (" + pair[0].name() + ", " + pair[1].name() + ", " + pair[2].name() + "); declare join types and say @link(through: …)"
	case len(a.Primary) == 0 || len(b.Primary) == 0 || a.Kind == View || b.Kind == View:
		problem = l.name() + ": a join table needs tables with primary keys on both sides"
	default:
		c.makeJoin(l, theirs[0])
		return
	}
	if problem != "" {
		c.errorf(l.use.Position, "%s", problem)
	}
	l.fail(c)
}

// makeJoin makes the join table. It lives beside the type whose table comes first in its name.
func (c *checker) makeJoin(l, back *linkUse) {
	if back.field.Owner.Table < l.field.Owner.Table {
		l, back = back, l
	}
	a, b := l.field.Owner, back.field.Owner
	name := boundedName(a.Table + "_" + b.Table)
	if other := c.schema.byName[name]; other != nil {
		c.errorAt(other.Pos, "%s has the name of the join table of %s and %s; rename it", other.Name, a.Name, b.Name)
		return
	}
	join := &Type{
		Name: name, Kind: Table, Pos: l.field.Pos, DB: a.DB, Table: name, Owned: true,
		Description: "Joins " + a.Name + " and " + b.Name + ".", byName: map[string]*Field{},
	}
	join.Single, join.Plural = name, name
	left, right := c.joinSide(join, a, l.field.Pos), c.joinSide(join, b, back.field.Pos)
	join.Primary = slices.Concat(left, right)
	join.Indexes = []Index{keyIndex(join, right, l.field.Pos)}
	for _, f := range right {
		f.IsIndexed = true
	}
	c.schema.Types = append(c.schema.Types, join)
	c.schema.byName[name] = join
	c.broken[join] = map[string]bool{}
	joinBy(l, join, a.Primary, left, right, b.Primary)
	joinBy(back, join, b.Primary, right, left, a.Primary)
	for _, side := range []*linkUse{l, back} {
		if v := side.use.written("onDelete"); v != nil {
			c.errorf(v.Position, "%s: onDelete belongs to a link that holds a key; rows of the join table go with either side", side.name())
		}
	}
}

func joinBy(l *linkUse, join *Type, from, throughFrom, throughTo, to []*Field) {
	link := l.field.Link
	link.Through, link.From, link.ThroughFrom, link.ThroughTo, link.To = join, from, throughFrom, throughTo, to
	l.state = resolved
}

// joinSide adds the link and key columns of one side to a join table.
func (c *checker) joinSide(join, t *Type, at Pos) (key []*Field) {
	name := camel(t.Name)
	for _, k := range t.Primary {
		f := &Field{
			Name: name + upperFirst(k.Name), Pos: at, Owner: join, Description: "The key of " + name + ".",
			Scalar: k.Scalar, Enum: k.Enum, NonNull: true, Native: nativeIn(join, k), Size: k.Size,
			Precision: k.Precision, Scale: k.Scale, IsPrimary: true, Inferred: true, integer: k.HoldsInteger(),
		}
		f.Column = snake(f.Name)
		key = append(key, f)
		join.byName[f.Name] = f
	}
	link := &Field{Name: name, Pos: at, Owner: join, NonNull: true, Index: -1, Link: &Link{
		Target: t, From: key, To: t.Primary, Owns: true, Enforced: t.DB == join.DB, OnDelete: Cascade,
	}}
	join.byName[name] = link
	join.Fields = append(append(join.Fields, key...), link)
	return key
}

// throughType resolves a list over a declared join type by the two links in it.
func (c *checker) throughType(l *linkUse) {
	join := c.schema.byName[l.through]
	if join == nil || join.Kind == Embed || join.Owned {
		var names []string
		for _, t := range c.schema.Types {
			names = append(names, t.Name)
		}
		c.errorf(l.argument("through"), "%s: through names a table that links to both sides; there is no table %s%s", l.name(), clip(l.through), DidYouMean(l.through, names))
		l.fail(c)
		return
	}
	near := c.joinLink(l, join, l.field.Owner, l.from, "from")
	far := c.joinLink(l, join, l.target, l.to, "to")
	if near == nil || far == nil {
		l.fail(c)
		return
	}
	joinBy(l, join, near.Link.To, near.Link.From, far.Link.From, far.Link.To)
	if v := l.use.written("onDelete"); v != nil {
		c.errorf(v.Position, "%s: onDelete belongs to the links of %s, which hold the keys", l.name(), join.Name)
	}
}

// joinLink is the link of a join type that leads to one side.
func (c *checker) joinLink(l *linkUse, join, side *Type, said []string, arg string) *Field {
	found := c.keysTo(side, join)
	if len(said) > 0 {
		found = slices.DeleteFunc(found, func(f *Field) bool {
			return !slices.Equal(said, []string{f.Name}) && !slices.Equal(said, fieldNames(f.Link.From))
		})
	}
	switch {
	case len(found) == 1:
		return found[0]
	case len(found) > 1:
		c.errorf(l.use.Position, "%s: both %s.%s and %s.%s lead to %s; say which by %s: %q", l.name(), join.Name, found[0].Name, join.Name, found[1].Name, side.Name, arg, found[0].Name)
	case len(said) > 0:
		c.errorf(l.argument(arg), "%s: %s has no link %s that leads to %s", l.name(), join.Name, clip(strings.Join(said, ", ")), side.Name)
	case len(c.broken[join]) == 0:
		c.errorf(l.argument("through"), "%s: %s has no link to %s; add \"%s: %s! @link\" there", l.name(), join.Name, side.Name, camel(side.Name), side.Name)
	}
	return nil
}

// checkLink checks what only a resolved link can tell.
func (c *checker) checkLink(l *linkUse) {
	f, link := l.field, l.field.Link
	if !link.Many && !isUniqueKey(l.target, link.To) {
		c.errorf(l.use.Position, "%s leads to one row, and %s.%s is not unique; add @unique there, or make the link a list", l.name(), l.target.Name, strings.Join(fieldNames(link.To), ", "))
	}
	if !link.Owns {
		if !link.Many && f.NonNull {
			c.errorf(l.use.Position, "%s: nothing makes sure that a %s exists; drop the !", l.name(), l.target.Name)
		}
		return
	}
	nullable := slices.ContainsFunc(link.From, func(k *Field) bool { return !k.NonNull })
	required := slices.ContainsFunc(link.From, func(k *Field) bool { return k.NonNull })
	switch {
	case f.NonNull && nullable:
		c.errorf(l.use.Position, "%s cannot be null and its key %s can; make them alike", l.name(), strings.Join(fieldNames(link.From), ", "))
	case f.Hidden && f.NonNull && link.From[0].Inferred:
		c.errorf(l.use.Position, "%s is @hidden and cannot be null, so that nobody could insert a row; drop the !", l.name())
	case f.NonNull && l.target == f.Owner:
		c.errorf(l.use.Position, "%s: the first %s would have to point to another one; drop the !", l.name(), f.Owner.Name)
	}
	if link.OnDelete == SetNull && required {
		c.errorf(l.argument("onDelete"), "%s: SET_NULL needs a key that can be null; drop the !, or say CASCADE or RESTRICT", l.name())
	}
	if link.OnDelete == Restrict || link.Enforced {
		return
	}
	if f.Owner.DB != l.target.DB {
		c.errorf(l.argument("onDelete"), "%s: %s lives in database %s and %s in %s, and %s would need one transaction over both; leave onDelete out", l.name(), f.Owner.Name, f.Owner.DB, l.target.Name, l.target.DB, l.use.text("onDelete"))
	} else {
		c.errorf(l.argument("onDelete"), "%s: views are only read; leave onDelete out", l.name())
	}
}

// isUniqueKey is whether at most one row of t has given values in these fields.
func isUniqueKey(t *Type, fields []*Field) bool {
	if sameFields(fields, t.Primary) {
		return true
	}
	return slices.ContainsFunc(t.Uniques, func(u Index) bool { return sameFields(fields, indexFields(u)) })
}

func indexFields(ix Index) []*Field {
	out := make([]*Field, len(ix.Fields))
	for i, f := range ix.Fields {
		out[i] = f.Field
	}
	return out
}

// holdIntegers marks the IDs that point to an integer key: they are integers as well.
func (c *checker) holdIntegers() {
	for changed := true; changed; {
		changed = false
		for _, l := range c.links {
			if l.state != resolved || !l.field.Link.Owns {
				continue
			}
			for i, f := range l.field.Link.From {
				if l.field.Link.To[i].HoldsInteger() && !f.HoldsInteger() {
					f.integer, changed = true, true
				}
			}
		}
		for _, t := range c.schema.Types {
			if t.Owned {
				changed = joinIntegers(t) || changed
			}
		}
	}
	for _, t := range c.schema.Types {
		for _, f := range t.Fields {
			c.holdInteger(f)
		}
	}
}

// holdInteger makes an integer of the default of a key that turned out to hold one.
func (c *checker) holdInteger(f *Field) {
	if !f.integer || f.Default == nil || f.Default.Kind() != TextValue {
		return
	}
	got, err := f.Coerce(f.Default.Text())
	if err != nil {
		c.problems = append(c.problems, Problem{Pos: f.Pos, Message: fmt.Sprintf("%s.%s: the default %s", f.Owner.Name, f.Name, err.Error())})
		return
	}
	f.Default = &got
}

func joinIntegers(join *Type) (changed bool) {
	for _, link := range join.Fields {
		if !link.IsLink() {
			continue
		}
		for i, f := range link.Link.From {
			if link.Link.To[i].HoldsInteger() && !f.integer {
				f.integer, changed = true, true
			}
		}
	}
	return changed
}

// HoldsInteger is whether an ID is held as an integer, an IntValue in a bigint column: an
// @autoIncrement key, or a key that points to one.
func (f *Field) HoldsInteger() bool { return f.Scalar == ID && (f.AutoIncrement || f.integer) }

// pair tells two links that are each other's way back.
func pair(l *linkUse) {
	a := l.field.Link
	for _, f := range l.target.Fields {
		if a.Inverse != nil || !f.IsLink() || f.Link.Target != l.field.Owner || f == l.field {
			continue
		}
		b := f.Link
		if a.Through == b.Through && slices.Equal(a.From, b.To) && slices.Equal(a.To, b.From) &&
			slices.Equal(a.ThroughFrom, b.ThroughTo) && slices.Equal(a.ThroughTo, b.ThroughFrom) && a.Owns != (b.Owns || b.Through != nil) {
			a.Inverse = f
		}
	}
}
