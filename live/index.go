package live

import (
	"slices"
	"strings"
)

// index finds the groups that a change can touch. By database and then by the name of the table.
type index map[string]map[string]*readers

// set is groups.
type set map[*group]struct{}

// readers are the groups that read one table.
type readers struct {
	all    set               // each of its rows
	shapes map[string]*shape // those that read only rows with certain values, by the columns of these
}

// shape is the groups that read rows by the same columns.
type shape struct {
	columns []string
	all     set
	by      []map[string]set // by columns, and then by value
}

// add has a group found by all that it reads.
func (x index) add(g *group) {
	for _, r := range g.query.Reads {
		x.readers(r.Table).add(g, r.Where)
	}
}

func (x index) readers(t Table) *readers {
	tables := x[t.Database]
	if tables == nil {
		tables = map[string]*readers{}
		x[t.Database] = tables
	}
	rs := tables[t.Name]
	if rs == nil {
		rs = &readers{all: set{}, shapes: map[string]*shape{}}
		tables[t.Name] = rs
	}
	return rs
}

func (rs *readers) add(g *group, where []Equal) {
	if len(where) == 0 {
		rs.all[g] = struct{}{}
		return
	}
	rs.shape(where).add(g, where)
}

// shape is that of some conditions, made where it is not there.
func (rs *readers) shape(where []Equal) *shape {
	name := nameOf(where)
	s := rs.shapes[name]
	if s == nil {
		s = &shape{all: set{}, by: make([]map[string]set, len(where))}
		for i, e := range where {
			s.columns, s.by[i] = append(s.columns, e.Column), map[string]set{}
		}
		rs.shapes[name] = s
	}
	return s
}

func nameOf(where []Equal) string {
	var b strings.Builder
	for _, e := range where {
		b.WriteString(e.Column + "\x00")
	}
	return b.String()
}

func (s *shape) add(g *group, where []Equal) {
	s.all[g] = struct{}{}
	for i, e := range where {
		for _, v := range e.Values {
			if s.by[i][v] == nil {
				s.by[i][v] = set{}
			}
			s.by[i][v][g] = struct{}{}
		}
	}
}

// remove takes a group out, and all that is empty then.
func (x index) remove(g *group) {
	for _, r := range g.query.Reads {
		tables := x[r.Table.Database]
		rs := tables[r.Table.Name]
		if rs == nil {
			continue // an earlier one of its reads was the same
		}
		rs.remove(g, r.Where)
		if len(rs.all)+len(rs.shapes) == 0 {
			delete(tables, r.Table.Name)
		}
		if len(tables) == 0 {
			delete(x, r.Table.Database)
		}
	}
}

func (rs *readers) remove(g *group, where []Equal) {
	if len(where) == 0 {
		delete(rs.all, g)
		return
	}
	s := rs.shapes[nameOf(where)]
	if s == nil {
		return
	}
	delete(s.all, g)
	for i, e := range where {
		for _, v := range e.Values {
			if delete(s.by[i][v], g); len(s.by[i][v]) == 0 {
				delete(s.by[i], v)
			}
		}
	}
	if len(s.all) == 0 {
		delete(rs.shapes, nameOf(where))
	}
}

// touched calls do with each group that a change can touch, perhaps more than once.
func (x index) touched(c *Change, do func(*group)) {
	tables := x[c.Table.Database]
	if c.Table.Name == "" {
		for _, rs := range tables {
			rs.touched(&Change{}, do)
		}
		return
	}
	for _, name := range []string{c.Table.Name, ""} {
		if rs := tables[name]; rs != nil {
			rs.touched(c, do)
		}
	}
}

func (rs *readers) touched(c *Change, do func(*group)) {
	for g := range rs.all {
		do(g)
	}
	for _, s := range rs.shapes {
		s.touched(c, do)
	}
}

func (s *shape) touched(c *Change, do func(*group)) {
	first := slices.IndexFunc(s.columns, func(column string) bool { return c.Values[column] != nil })
	if first < 0 {
		for g := range s.all {
			do(g)
		}
		return
	}
	for _, v := range c.Values[s.columns[first]] {
		for g := range s.by[first][v] {
			if s.meets(g, c, first+1) {
				do(g)
			}
		}
	}
}

// meets is whether what is known of the columns from one on lets a change touch a group.
func (s *shape) meets(g *group, c *Change, from int) bool {
	for i := from; i < len(s.columns); i++ {
		values := c.Values[s.columns[i]]
		if values != nil && !slices.ContainsFunc(values, func(v string) bool {
			_, in := s.by[i][v][g]
			return in
		}) {
			return false
		}
	}
	return true
}
