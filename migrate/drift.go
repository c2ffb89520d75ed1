package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Drift is one thing that others changed in what we made, since the last migration.
type Drift struct {
	Object string // posts, view tops
	What   string // posts.title is varchar(20), was text
	Right  string // how it is put right

	// Extra is whether it was not there, so that nobody misses it.
	Extra bool

	part string // of the object, as its shape calls it; empty for all of it
	cast bool   // a column has another type
}

// shape is what we made in a database, as the database tells it: tables, collections and
// views by their names. Two of the same database are compared, so that how it spells what it
// was told does not matter, and neither does what a newer version of this program would make.
type shape map[string]objectShape

// objectShape is a table, collection or view.
type objectShape struct {
	Columns map[string]columnShape `json:"columns,omitempty"`
	// Parts are indexes, keys, checks and the like, by kind and name: index posts_title_key.
	Parts map[string]string `json:"parts,omitempty"`
	Text  string            `json:"text,omitempty"` // of a view
}

// validator is the part that stands for how strict a collection is with its columns.
const validator = "validator"

type columnShape struct {
	Type     string `json:"type"`
	Required bool   `json:"required,omitempty"`
	Default  string `json:"default,omitempty"`
}

// changed is what is otherwise in now.
func (was shape) changed(now shape) []Drift {
	var drift []Drift
	for _, name := range slices.Sorted(maps.Keys(was)) {
		is, there := now[name]
		if !there {
			drift = append(drift, Drift{Object: name, What: name + " is gone"})
			continue
		}
		drift = append(drift, was[name].changed(name, is)...)
	}
	return drift
}

func (was objectShape) changed(name string, is objectShape) []Drift {
	var drift []Drift
	say := func(part string, more bool, what string, args ...any) {
		drift = append(drift, Drift{Object: name, part: part, Extra: more, What: fmt.Sprintf(what, args...)})
	}
	if was.Text != is.Text {
		say("", false, "%s says something else than it did", name)
	}
	if was.Parts[validator] != "" && is.Parts[validator] == "" {
		say(validator, false, "the validator of %s is gone", name)
		was.Columns, was.Parts = nil, maps.Clone(was.Parts)
		delete(was.Parts, validator)
	}
	for _, c := range keysOf(was.Columns, is.Columns) {
		old, had := was.Columns[c]
		column, has := is.Columns[c]
		switch {
		case !has:
			say("column "+c, false, "%s.%s is gone, was %s", name, c, old.Type)
		case !had:
			say("column "+c, true, "%s.%s is there, of the type %s, and was not", name, c, column.Type)
		default:
			if what := old.changed(column); what != "" {
				say("column "+c, false, "%s.%s %s", name, c, what)
				drift[len(drift)-1].cast = column.Type != old.Type
			}
		}
	}
	for _, p := range keysOf(was.Parts, is.Parts) {
		old, had := was.Parts[p]
		part, has := is.Parts[p]
		switch {
		case !has:
			say(p, false, "%s of %s is gone, was %s", p, name, old)
		case !had:
			say(p, true, "%s of %s is there, %s, and was not", p, name, part)
		case old != part:
			say(p, false, "%s of %s is %s, was %s", p, name, part, old)
		}
	}
	return drift
}

// recast is whether others gave a column another type.
func (p *Plan) recast(object, column string) bool {
	return slices.ContainsFunc(p.Drift, func(d Drift) bool { return d.cast && d.Object == object && d.part == "column "+column })
}

func keysOf[V any](a, b map[string]V) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// changed is how a column is otherwise, in words; "" for one that is the same.
func (was columnShape) changed(is columnShape) string {
	var what []string
	if was.Type != is.Type {
		what = append(what, "is "+is.Type+", was "+was.Type)
	}
	if was.Required != is.Required {
		what = append(what, map[bool]string{true: "takes no null, but did", false: "takes null, but did not"}[is.Required])
	}
	if was.Default != is.Default {
		none := func(s string) string {
			if s == "" {
				return "no default"
			}
			return "the default " + s
		}
		what = append(what, "has "+none(is.Default)+", had "+none(was.Default))
	}
	return strings.Join(what, "; ")
}

// drifted compares the database with how the last migration left it.
func (p *Plan) drifted(ctx context.Context, conn *sql.Conn, g *goal, have *state) error {
	there, err := g.hasTable(ctx, conn, ledger)
	if err != nil || !there || have.unfinished {
		return err
	}
	last, found, err := lastMemory(ctx, conn, g)
	if err == nil && found {
		p.Drift = last.Shape.changed(have.shape(g, have.record))
	}
	return err
}

// remedies says of each drift how it is put right: by a change of the plan, if one is about it.
// was is what the object of a step is called in the database now.
func (p *Plan) remedies(was func(object string) string) {
	for i := range p.Drift {
		d := &p.Drift[i]
		switch at, change := p.about(was, d.Object, d.part); {
		case change != "":
			d.Right = fmt.Sprintf("put right by step %d: %s", at, change)
		case d.Extra:
			d.Right = "not ours, left alone: drop it in the database, or say it in the schema"
		default:
			d.Right = "the schema asks for nothing here"
		}
	}
}

// about finds the change of a part of an object, and the number of its step.
func (p *Plan) about(was func(string) string, object, part string) (step int, change string) {
	for i, s := range p.Steps {
		for _, c := range s.Changes {
			if was(s.Object) == object && (c.part == part || c.part == validator && strings.HasPrefix(part, "column ")) {
				return i + 1, c.Comment
			}
		}
	}
	return 0, ""
}
