package graph

import (
	"slices"
	"strings"

	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/schema"
)

// asks compiles what a root field of a query asks for.
func (k *compiler) asks(root generator.Root, s *selected) (*query.Find, error) {
	switch root.Kind {
	case generator.Aggregate:
		return k.aggregate(root.Type, s)
	case generator.Groups:
		return k.groups(root.Type, s)
	}
	return k.find(root.Type, s, root.Kind == generator.List)
}

// beside compiles a field that the API has beside a link to many.
func (k *compiler) beside(item *query.Item, t *schema.Type, s *selected) (err error) {
	item.Link = t.Field(strings.TrimSuffix(s.field.Name, "Aggregate"))
	item.Find, err = k.aggregate(item.Link.Link.Target, s)
	return err
}

// aggregate compiles the measures of all rows that match.
func (k *compiler) aggregate(t *schema.Type, s *selected) (*query.Find, error) {
	f := &query.Find{Type: t, One: true, Groups: &query.Groups{}}
	var err error
	if in, ok := k.given(s.field, "where"); ok {
		if f.Where, err = k.where(t, in); err != nil {
			return nil, err
		}
	}
	f.Items, err = k.measures(f, s)
	return f, err
}

// groups compiles groups of the rows that match.
func (k *compiler) groups(t *schema.Type, s *selected) (*query.Find, error) {
	f := &query.Find{Type: t, Groups: &query.Groups{}}
	for _, argument := range []struct {
		name    string
		compile func(*query.Find, input) error
	}{
		{"groupBy", groupBy},
		{"where", func(f *query.Find, in input) (err error) {
			f.Where, err = k.where(t, in)
			return err
		}},
		{"having", func(f *query.Find, in input) (err error) {
			f.Groups.Having, err = k.having(t, in)
			return err
		}},
		{"orderBy", groupOrder},
		{"limit", func(f *query.Find, in input) (err error) {
			f.Limit, err = k.operand(in, coerceScalar(schema.Int))
			return err
		}},
		{"offset", func(f *query.Find, in input) (err error) {
			f.Offset, err = k.operand(in, coerceScalar(schema.Int))
			return err
		}},
	} {
		if in, ok := k.given(s.field, argument.name); ok {
			if err := argument.compile(f, in); err != nil {
				return nil, err
			}
		}
	}
	var err error
	f.Items, err = k.measures(f, s)
	return f, err
}

func groupBy(f *query.Find, in input) error {
	for _, item := range in.items() {
		column := f.Type.Field(item.word())
		if column == nil {
			return fault.New(fault.Invalid, "groupBy: %q is no field of %s", item.word(), f.Type.Name)
		}
		if !slices.Contains(f.Groups.By, column) {
			f.Groups.By = append(f.Groups.By, column)
		}
	}
	if len(f.Groups.By) == 0 {
		return fault.New(fault.Invalid, "groupBy is empty; name a field, or ask %sAggregate for one answer over all rows", f.Type.Plural)
	}
	return nil
}

// functions are the functions over columns by their names in the API.
var functions = map[string]query.Function{
	"group": query.KeyOf, "countDistinct": query.CountDistinct,
	"sum": query.Sum, "avg": query.Avg, "min": query.Least, "max": query.Greatest,
}

// measures compiles what is selected of an aggregate or a group.
func (k *compiler) measures(f *query.Find, s *selected) ([]query.Item, error) {
	fields := k.collect(s.sets...)
	items := make([]query.Item, 0, len(fields))
	for _, m := range fields {
		item := query.Item{Name: m.alias}
		fn, over := functions[m.field.Name]
		switch {
		case m.field.Name == "__typename":
			item.Typename = m.field.ObjectDefinition.Name
		case over:
			var err error
			if item.Object, err = k.measuresOf(f, fn, m); err != nil {
				return nil, err
			}
		default:
			item.Measure = f.Groups.Add(query.Measure{Fn: query.CountRows})
		}
		items = append(items, item)
	}
	return items, nil
}

// measuresOf compiles what is selected of one function.
func (k *compiler) measuresOf(f *query.Find, fn query.Function, s *selected) ([]query.Item, error) {
	fields := k.collect(s.sets...)
	items := make([]query.Item, 0, len(fields))
	for _, m := range fields {
		item := query.Item{Name: m.alias}
		if m.field.Name == "__typename" {
			item.Typename = m.field.ObjectDefinition.Name
		} else {
			measure := query.Measure{Fn: fn, Field: f.Type.Field(m.field.Name)}
			if err := grouped(f.Groups, measure); err != nil {
				return nil, err
			}
			item.Measure = f.Groups.Add(measure)
		}
		items = append(items, item)
	}
	return items, nil
}

// grouped refuses the value of a column that a group's rows need not have in common.
func grouped(g *query.Groups, m query.Measure) error {
	if m.Fn == query.KeyOf && !slices.Contains(g.By, m.Field) {
		return fault.New(fault.Invalid, "%s is not in groupBy, so the rows of a group can differ in it; add it there, or ask for its min or max", m)
	}
	return nil
}

// groupOrder compiles a sort key of groups; each object of the list names one measure.
func groupOrder(f *query.Find, in input) error {
	if in.isNull() {
		return nil
	}
	for _, item := range in.items() {
		fn, name, err := theOnly(item, "orderBy")
		if err != nil {
			return err
		}
		m, path := query.Measure{Fn: query.CountRows}, "orderBy."+name
		if of, over := functions[name]; over {
			m.Fn = of
			if fn, name, err = theOnly(fn, path); err != nil {
				return err
			}
			m.Field, path = f.Type.Field(name), path+"."+name
			if err := grouped(f.Groups, m); err != nil {
				return err
			}
		}
		o, ok := directions[fn.word()]
		if !ok {
			return fault.New(fault.Invalid, "%s has to be a direction, such as ASC", path)
		}
		if again := func(o query.GroupOrder) bool { return o.Measure == m }; !slices.ContainsFunc(f.Groups.OrderBy, again) {
			f.Groups.OrderBy = append(f.Groups.OrderBy, query.GroupOrder{Measure: m, Desc: o.Desc, Nulls: o.Nulls})
		}
	}
	return nil
}

// theOnly is the one member of an object of orderBy.
func theOnly(in input, path string) (input, string, error) {
	members := in.members()
	if len(members) != 1 {
		return input{}, "", fault.New(fault.Invalid, "each object of %s names one field, so that their order is clear; this one has %d", path, len(members))
	}
	return members[0], members[0].name, nil
}

// Bounds of having, as a variable may hold it.
const (
	maxHavingDepth = 12  // conditions in conditions
	maxHavingTerms = 500 // conditions in one having
)

// having compiles a condition on groups.
type having struct {
	*compiler
	typ          *schema.Type
	depth, terms int
}

// having compiles a condition on groups; nil for all. Only the whole of it may be empty.
func (k *compiler) having(t *schema.Type, in input) (query.Where, error) {
	switch {
	case in.isNull():
		return nil, nil
	case len(in.members()) > 0:
	case in.lit != nil && len(in.lit.Children) > 0: // of which every variable was left out
		return nil, emptyHaving(in.name)
	default:
		return nil, nil
	}
	h := &having{compiler: k, typ: t}
	return h.every(in, h.member)
}

// every is the And of what the members of an object say, of which there has to be one.
func (h *having) every(in input, each func(input) (query.Where, error)) (query.Where, error) {
	members := in.members()
	h.depth++
	defer func() { h.depth-- }()
	switch h.terms += len(members); {
	case len(members) == 0:
		return nil, emptyHaving(in.name)
	case h.depth > maxHavingDepth:
		return nil, fault.New(fault.Limit, "the conditions of having nest more than %d deep", maxHavingDepth)
	case h.terms > maxHavingTerms:
		return nil, fault.New(fault.Limit, "having has more than %d conditions", maxHavingTerms)
	}
	return allOf(members, each)
}

func emptyHaving(name string) error {
	return fault.New(fault.Invalid,
		"%s is empty here; only the whole having may be {}, so that a variable left out does not match every group", name)
}

func (h *having) member(in input) (query.Where, error) {
	switch in.name {
	case "_and", "_or":
		return h.several(in)
	case "_not":
		w, err := h.every(in, h.member)
		return query.Not{Where: w}, err
	case "count":
		return h.measured(query.Measure{Fn: query.CountRows}, in)
	}
	return h.every(in, func(m input) (query.Where, error) {
		measure := query.Measure{Fn: functions[in.name], Field: h.typ.Field(m.name)}
		m.name = in.name + "." + m.name
		return h.measured(measure, m)
	})
}

func (h *having) several(in input) (query.Where, error) {
	var parts []query.Where
	for _, item := range in.items() {
		w, err := h.every(item, h.member)
		if err != nil {
			return nil, err
		}
		parts = append(parts, w)
	}
	switch {
	case in.name == "_or":
		return query.Or(parts), nil
	case len(parts) == 0:
		return nil, emptyHaving(in.name)
	}
	return query.And(parts), nil
}

// measured compiles the operators on a measure: those on a column such as would hold it.
func (h *having) measured(m query.Measure, in input) (query.Where, error) {
	switch {
	case in.isNull():
		return nil, fault.New(fault.Invalid, "%s may not be null here; ask for null with {_isNull: true}", in.name)
	case len(in.members()) == 0:
		return nil, emptyHaving(in.name)
	}
	w, err := h.field(query.Col(m.Column()), in)
	if err != nil {
		return nil, err
	}
	return query.Replace(w, func(o query.Operand) query.Operand {
		if o.Kind == query.Column {
			return m.Operand()
		}
		return o
	}), nil
}
