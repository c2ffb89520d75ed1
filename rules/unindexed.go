package rules

import (
	"fmt"
	"slices"
	"strings"

	"spacecloud/query"
	"spacecloud/schema"
)

// Unindexed are the rules and links that find rows by columns with which no index begins, by file
// and position, each with the directive that would make one. They are right all the same: a small
// table needs no index.
func (s *Set) Unindexed() schema.Problems { return s.unindexed }

// lookup is one place where rows of a type are found by some of its columns.
type lookup struct {
	at      schema.Pos
	who     string // the read rule of Post
	of      *schema.Type
	columns []*schema.Field
}

// linkLookups are those of the links: what a list of rows is found by need be no key.
func linkLookups(s *schema.Schema) (found []lookup) {
	for _, t := range s.Types {
		for _, f := range t.Fields {
			if !f.IsLink() {
				continue
			}
			who := "the link " + t.Name + "." + f.Name
			if f.Link.Through != nil {
				found = append(found, lookup{f.Pos, who, f.Link.Through, f.Link.ThroughFrom})
			}
			found = append(found, lookup{f.Pos, who, f.Link.Target, f.Link.To})
		}
	}
	return found
}

// lookups are those of a compiled rule, and where all its rows are looked for, as when they are
// read, those of the rows that it stands on. A write finds its rows by what the client asks for.
func (u unit) lookups(at schema.Pos, who string, n node, all bool) {
	l := lookup{at: at, who: who, of: u.of}
	w := whole(n)
	u.found = l.below(u.found, w)
	if all {
		u.found = l.rows(u.found, u.of, w, nil, false)
	}
}

// below appends the lookups of rows that a condition leads to.
func (l lookup) below(found []lookup, w query.Where) []lookup {
	switch w := w.(type) {
	case query.And:
		for _, part := range w {
			found = l.below(found, part)
		}
	case query.Or:
		for _, part := range w {
			found = l.below(found, part)
		}
	case query.Not:
		return l.below(found, w.Where)
	case query.Untrue:
		return l.below(found, w.Where)
	case query.Some:
		return l.below(l.behind(found, w), w.Where)
	case query.Exists:
		return l.below(l.rows(found, w.Type, w.Where, nil, true), w.Where)
	}
	return found
}

// behind appends the lookups that a link takes.
func (l lookup) behind(found []lookup, w query.Some) []lookup {
	link, keys := w.Link.Link, w.Link.Link.To
	if w.Link.IsApart() {
		keys = nil // the other database is asked which keys there are
	} else if link.Through != nil {
		found = append(found, lookup{l.at, l.who, link.Through, link.ThroughFrom})
	}
	return l.rows(found, link.Target, w.Where, keys, true)
}

// rows appends the lookups of rows of a type that meet a condition, by keys besides. Where one way
// to meet it equates no column, all rows are looked at whatever indexes there are.
func (l lookup) rows(found []lookup, of *schema.Type, w query.Where, keys []*schema.Field, constants bool) []lookup {
	alternatives := ways(w, of, constants)
	if len(alternatives) == 0 {
		alternatives = [][]*schema.Field{nil}
	}
	var all []lookup
	for _, columns := range alternatives {
		columns = slices.Concat(keys, columns)
		if len(columns) == 0 {
			return found
		}
		all = append(all, lookup{l.at, l.who, of, columns})
	}
	return append(found, all...)
}

// ways are the columns that each way to meet a condition equates: one for each part of an Or that
// looks at the row. None are those of a condition that does not.
func ways(w query.Where, of *schema.Type, constants bool) [][]*schema.Field {
	switch w := w.(type) {
	case query.Truth:
		return nil
	case query.Or:
		var out [][]*schema.Field
		for _, part := range w {
			out = append(out, ways(part, of, constants)...)
		}
		return out
	case query.And:
		return together(w, of, constants)
	case query.Compare:
		if !isHere(w.Left) && !isHere(w.Right) {
			return nil
		}
		if f := equated(w, of, constants); f != nil {
			return [][]*schema.Field{{f}}
		}
	}
	return [][]*schema.Field{nil}
}

// together are the ways of an And: the columns that all of it equates, or else those of the first
// part of which each way equates some.
func together(parts query.And, of *schema.Type, constants bool) [][]*schema.Field {
	var columns []*schema.Field
	var choice [][]*schema.Field
	here := false
	for _, part := range parts {
		each := ways(part, of, constants)
		here = here || len(each) > 0
		switch {
		case len(each) == 1:
			columns = append(columns, each[0]...)
		case choice == nil && !slices.ContainsFunc(each, func(way []*schema.Field) bool { return len(way) == 0 }):
			choice = each
		}
	}
	switch {
	case !here:
		return nil
	case len(columns) == 0 && len(choice) > 0:
		return choice
	}
	return [][]*schema.Field{columns}
}

func isHere(o query.Operand) bool { return o.Kind == query.Column && o.Up == 0 }

// equated is the column of the row that a comparison gives a value, or nil. A column of two or
// few values picks too many rows for an index to be worth it, and what a row of another database
// holds is not known where this one is.
func equated(c query.Compare, of *schema.Type, constants bool) *schema.Field {
	if c.Op != query.Eq && c.Op != query.In {
		return nil
	}
	column, value := c.Left, c.Right
	if !isHere(column) {
		column, value = value, column
	}
	f := column.Field
	switch {
	case len(column.Via) > 0 || isHere(value) || f.Scalar == schema.Boolean || f.Scalar == schema.EnumValue,
		value.Kind == query.Constant && !constants,
		value.Kind == query.Column && value.Field.Owner.DB != of.DB:
		return nil
	}
	return f
}

// unindexed are the warnings of lookups that no index serves, each index advised once.
func unindexed(all []lookup) schema.Problems {
	var ps schema.Problems
	advised := map[*schema.Type][]*schema.Field{}
	for _, l := range all {
		if l.of.Kind != schema.Table || l.of.Owned || len(l.columns) == 0 || l.served(advised[l.of]) {
			continue
		}
		l.columns = once(l.columns)
		advised[l.of] = append(advised[l.of], l.columns[0])
		ps = append(ps, schema.Problem{Pos: l.at, Message: l.warning()})
	}
	return sorted(ps)
}

func once(fields []*schema.Field) []*schema.Field {
	var out []*schema.Field
	for _, f := range fields {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// served is whether an index begins with one of the columns, one that was advised included.
func (l lookup) served(advised []*schema.Field) bool {
	firsts := slices.Clone(advised)
	if len(l.of.Primary) > 0 {
		firsts = append(firsts, l.of.Primary[0])
	}
	for _, ix := range slices.Concat(l.of.Uniques, l.of.Indexes) {
		if ix.Where == "" {
			firsts = append(firsts, ix.Fields[0].Field)
		}
	}
	return slices.ContainsFunc(l.columns, func(f *schema.Field) bool { return slices.Contains(firsts, f) })
}

func (l lookup) warning() string {
	names := make([]string, len(l.columns))
	for i, f := range l.columns {
		names[i] = f.Name
	}
	if len(names) == 1 {
		return fmt.Sprintf("%s finds rows of %s by %s, with which no index begins; add @index to %[2]s.%[3]s", l.who, l.of.Name, names[0])
	}
	return fmt.Sprintf(`%s finds rows of %s by %s, and no index begins with one of them; add @index(fields: ["%s"]) to %[2]s`,
		l.who, l.of.Name, strings.Join(names, ", "), strings.Join(names, `", "`))
}
