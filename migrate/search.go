package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"spacecloud/generator"
)

// Full-text indexes hold no data of their own: one that is not as it is wanted is made anew.

// isSearch is whether an object is part of a full-text index: its table, but not those that
// SQLite keeps it in, or one of its triggers.
func isSearch(o object) bool {
	if !ownTable(o.name) {
		return false
	}
	return o.kind == "trigger" && strings.Contains(o.name, "_search_") ||
		o.kind == "table" && strings.HasSuffix(o.name, "_search") && strings.HasPrefix(o.text, "CREATE VIRTUAL TABLE")
}

// addSearches makes the full-text indexes as they are wanted. One is set aside while its
// table is made anew or renamed, because its triggers name columns and it names rows.
func (d *draft) addSearches() {
	var drop, create []Step
	wanted := map[string]bool{}
	for _, s := range d.want.search {
		wanted[s.Name] = true
		old := d.partsOf(s.Name)
		if d.isAs(s) && !d.moved[s.Table] {
			continue
		}
		if len(old) > 0 {
			drop = append(drop, d.dropSearch(s.Name, old))
		}
		_, filled := d.have.tables.Table(s.Table)
		create = append(create, d.createSearch(s, filled))
	}
	for _, name := range slices.Sorted(maps.Keys(d.have.search)) {
		o := d.have.search[name]
		old := d.partsOf(name)
		if o.kind == "table" && !wanted[name] && (d.policy != Keep || d.moves(old)) {
			drop = append(drop, d.dropSearch(name, old))
		}
	}
	d.plan.Steps = slices.Concat(drop, d.plan.Steps, create)
}

// partsOf are the parts of an index that are there, the triggers first.
func (d *draft) partsOf(name string) []object {
	var parts []object
	for _, suffix := range []string{"_insert", "_update", "_delete", ""} {
		if o, there := d.have.search[name+suffix]; there {
			parts = append(parts, o)
		}
	}
	return parts
}

func (d *draft) isAs(s generator.Search) bool {
	for _, part := range s.Parts {
		if part.Name != "" && d.have.search[part.Name].text != part.SQL {
			return false
		}
	}
	return true
}

// moves is whether the table that triggers are on is not what it was.
func (d *draft) moves(parts []object) bool {
	return slices.ContainsFunc(parts, func(o object) bool {
		if o.kind != "trigger" {
			return false
		}
		for wanted := range d.moved {
			if d.have.table(wanted) == o.table {
				return true
			}
		}
		return false
	})
}

func (d *draft) dropSearch(name string, parts []object) Step {
	step := Step{Object: "search " + name, Changes: []Change{{Comment: "drop full-text index " + name}}}
	for _, o := range parts {
		step.Statements = append(step.Statements, "DROP "+strings.ToUpper(o.kind)+" "+d.quote(o.name))
	}
	return step
}

func (d *draft) createSearch(s generator.Search, filled bool) Step {
	step := Step{
		Object:  "search " + s.Name,
		Changes: []Change{{Comment: fmt.Sprintf("create full-text index %s of %s", s.Name, s.Table), lacks: true}},
	}
	if filled {
		step.Locks = fmt.Sprintf("the database, for writers, while the rows of %s are indexed", s.Table)
	}
	for _, part := range s.Parts {
		step.Statements = append(step.Statements, part.SQL)
		if part.Name != "" {
			step.Reverse = append([]string{"DROP " + strings.ToUpper(part.Kind) + " " + d.quote(part.Name)}, step.Reverse...)
		}
	}
	return step
}
