package schema

import (
	"slices"
	"strings"
)

// indexUse is an @index or @unique between being read and being resolved.
type indexUse struct {
	owner *Type
	field *Field // nil when it stands on the type
	use   use
}

// resolveIndexes makes the indexes of fields in the order of the fields, then those of types.
func (c *checker) resolveIndexes() {
	for _, t := range c.schema.Types {
		for _, f := range t.Fields {
			for _, u := range c.indexes {
				if u.field == f && u.owner == t {
					c.fieldIndex(u)
				}
			}
		}
		for _, u := range c.indexes {
			if u.field == nil && u.owner == t {
				c.typeIndex(u)
			}
		}
	}
}

func (c *checker) fieldIndex(u indexUse) {
	if v := u.use.written("fields"); v != nil {
		c.errorf(v.Position, "%s.%s: on a field, @%s is of that field alone; say fields on the type", u.owner.Name, u.field.Name, u.use.Name)
	}
	fields := []*Field{u.field}
	if u.field.IsLink() {
		fields = u.field.Link.From
	}
	var parts []IndexField
	for _, f := range fields {
		parts = append(parts, IndexField{Field: f})
	}
	c.addIndex(u, parts)
}

func (c *checker) typeIndex(u indexUse) {
	names := u.use.texts("fields")
	if len(names) == 0 {
		c.missing(u.use, "@%s on a type needs its fields: @%s(fields: [\"…\"])", u.use.Name, u.use.Name)
		return
	}
	at := u.use.written("fields").Position
	var parts []IndexField
	for _, name := range names {
		plain, desc := strings.CutPrefix(name, "-")
		f := u.owner.byName[plain]
		switch {
		case c.broken[u.owner][plain]:
			return
		case f == nil:
			c.errorf(at, "@%s: %s has no field %s%s", u.use.Name, u.owner.Name, clip(plain), DidYouMean(plain, u.owner.columnNames()))
			return
		case f.IsLink() && f.Link.Owns:
			c.errorf(at, "@%s: %s.%s is a link; name its key, %s", u.use.Name, u.owner.Name, plain, strings.Join(fieldNames(f.Link.From), ", "))
			return
		case f.IsLink():
			c.errorf(at, "@%s: %s.%s is a link without a column", u.use.Name, u.owner.Name, plain)
			return
		case !isIndexable(f):
			c.errorf(at, "@%s: %s.%s is %s; lists, JSON and embedded values cannot be indexed", u.use.Name, u.owner.Name, plain, f.TypeText())
			return
		case desc && u.use.Name == "unique":
			c.errorf(at, "@unique: a constraint has no direction; write %q", plain)
		case slices.ContainsFunc(parts, func(p IndexField) bool { return p.Field == f }):
			c.errorf(at, "@%s names %s twice", u.use.Name, plain)
			return
		}
		parts = append(parts, IndexField{f, desc})
	}
	c.addIndex(u, parts)
}

func (c *checker) addIndex(u indexUse, parts []IndexField) {
	t, unique := u.owner, u.use.Name == "unique"
	suffix := map[bool]string{true: "key", false: "idx"}[unique]
	ix := Index{Name: indexName(t.Table, parts, suffix), Fields: parts, Where: u.use.text("where"), Pos: c.pos(u.use.Position)}
	if v := u.use.written("name"); v != nil {
		ix.Name = v.Raw
		c.physical(ix.Name, c.pos(v.Position))
	}
	if unique && isUniqueKey(t, indexFields(ix)) {
		c.errorAt(ix.Pos, "%s is unique by (%s) already; remove this @unique", t.Name, strings.Join(fieldNames(indexFields(ix)), ", "))
		return
	}
	if unique {
		t.Uniques = append(t.Uniques, ix)
		parts[0].Field.IsUnique = parts[0].Field.IsUnique || len(parts) == 1
		return
	}
	t.Indexes = append(t.Indexes, ix)
	for _, p := range parts {
		p.Field.IsIndexed = true
	}
}

// indexKey gives the key of a link an index, unless one begins with it.
func (c *checker) indexKey(l *linkUse) {
	t, link := l.field.Owner, l.field.Link
	if !link.Owns || t.Kind != Table {
		return
	}
	for _, f := range link.From {
		f.IsIndexed = true
	}
	if beginsWith(t.Primary, link.From) {
		return
	}
	for _, ix := range slices.Concat(t.Uniques, t.Indexes) {
		if ix.Where == "" && beginsWith(indexFields(ix), link.From) {
			return
		}
	}
	t.Indexes = append(t.Indexes, keyIndex(t, link.From, l.field.Pos))
}

func keyIndex(t *Type, key []*Field, at Pos) Index {
	var parts []IndexField
	for _, f := range key {
		parts = append(parts, IndexField{Field: f})
	}
	return Index{Name: indexName(t.Table, parts, "idx"), Fields: parts, Pos: at, Inferred: true}
}

// beginsWith is whether the first fields are those of key, in any order.
func beginsWith(fields, key []*Field) bool {
	return len(fields) >= len(key) && sameFields(fields[:len(key)], key)
}
