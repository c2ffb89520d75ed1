package project

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"spacecloud/fault"
	"spacecloud/migrate"
	"spacecloud/schema"
)

func byPlace(a, b schema.Problem) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// String is one line for an edit: "posts: + subtitle · served in 12 ms".
func (l Loaded) String() string {
	text := summary(l.Changes)
	if text == "" {
		text = "no change of meaning"
	}
	kept := make([]string, len(l.Plans))
	for i, plan := range l.Plans {
		kept[i] = stays(plan)
	}
	return text + strings.Join(kept, "") + " · served in " + milliseconds(l.Took)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%d ms", max(1, d.Round(time.Millisecond).Milliseconds()))
}

// summary is the changes of each type, and then of types, in few words.
func summary(changes []schema.Change) string {
	var order []string
	words := map[string][]string{}
	add := func(where, what string) {
		if _, there := words[where]; !there {
			order = append(order, where)
		}
		if !slices.Contains(words[where], what) {
			words[where] = append(words[where], what)
		}
	}
	for _, c := range changes {
		add(brief(c))
	}
	parts := make([]string, 0, len(order))
	for _, where := range order {
		text := strings.Join(words[where], ", ")
		if where != "" {
			text = where + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// brief is where a change is, and what it is: posts, + subtitle.
func brief(c schema.Change) (where, what string) {
	switch c := c.(type) {
	case schema.TypeAdded:
		return "", "+ " + called(c.Type)
	case schema.TypeDropped:
		return "", "− " + called(c.Type)
	case schema.TypeRenamed:
		return "", called(c.From) + " → " + called(c.To)
	case schema.TypeChanged:
		return called(c.Type), "~ " + c.What
	case schema.FieldAdded:
		return called(c.Field.Owner), "+ " + c.Field.Name
	case schema.FieldDropped:
		return called(c.Field.Owner), "− " + c.Field.Name
	case schema.FieldRenamed:
		return called(c.To.Owner), c.From.Name + " → " + c.To.Name
	case schema.FieldChanged:
		return called(c.To.Owner), "~ " + c.To.Name
	case schema.IndexAdded:
		return called(c.Type), "+ " + indexed(c.Unique, c.Index)
	case schema.IndexDropped:
		return called(c.Type), "− " + indexed(c.Unique, c.Index)
	}
	return "", c.String()
}

// called is a type by its table, which is what one sees of it in the API and the database.
func called(t *schema.Type) string { return cmp.Or(t.Table, t.Name) }

func indexed(unique bool, i schema.Index) string {
	names := make([]string, len(i.Fields))
	for n, f := range i.Fields {
		names[n] = f.Field.Name
	}
	kind := "index"
	if unique {
		kind = "unique"
	}
	return kind + " (" + strings.Join(names, ", ") + ")"
}

// Describe says of each database what it is, where, and what was just done to it.
func (p *Project) Describe(l Loaded) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(p.databases)) {
		parts := []string{fmt.Sprintf("%s: %s, %s", name, p.databases[name].Driver().Product(), p.Settings.Databases[name].URL)}
		for _, plan := range l.Plans {
			if plan.Database == name {
				parts = append(parts, migrated(plan))
			}
		}
		lines = append(lines, strings.Join(parts, " · "))
	}
	return lines
}

// migrated is what a plan did in few words; the ledger has all of them.
func migrated(p migrate.Plan) string {
	const few = 4
	var did []string
	for _, s := range p.Steps {
		for _, c := range s.Changes {
			did = append(did, c.Comment)
		}
	}
	text := "migrated: " + strings.Join(did[:min(few, len(did))], ", ")
	switch {
	case len(did) == 0:
		text = "up to date"
	case len(did) > few:
		text += fmt.Sprintf(" and %d more", len(did)-few)
	}
	return text + stays(p)
}

// stays is what a plan left though the schema no longer has it.
func stays(p migrate.Plan) string {
	var b strings.Builder
	for _, kept := range p.Kept {
		b.WriteString(" · stays: " + kept)
	}
	return b.String()
}

// Explain is an error as a person at a terminal reads it: what was written for people, and
// then what no room of ours said, such as the words of a database.
func Explain(err error) string {
	var problems schema.Problems
	var f *fault.Error
	switch {
	case errors.As(err, &problems):
		return problems.Error()
	case !errors.As(err, &f):
		return err.Error()
	}
	if foreign := root(f); foreign != nil && !strings.Contains(f.Message, foreign.Error()) {
		return f.Message + ": " + foreign.Error()
	}
	return f.Message
}

// root is the first cause beneath faults that is none.
func root(f *fault.Error) error {
	var next *fault.Error
	for errors.As(f.Cause, &next) {
		f = next
	}
	return f.Cause
}

// refused tells of an edit that is not served, once.
func (p *Project) refused(err error) {
	text := Explain(err)
	if text == p.said {
		return
	}
	p.said = text
	fmt.Fprintf(p.Out, "%s\nnot served; what was served before still is\n", text)
}

// Warning is a line for what is right and yet wants a look.
func Warning(p schema.Problem) string { return "warning: " + p.Error() }

// served tells of one that is.
func (p *Project) served(l Loaded) {
	p.said = ""
	lines := []string{l.String()}
	for _, w := range l.Warnings {
		lines = append(lines, Warning(w))
	}
	fmt.Fprintln(p.Out, strings.Join(lines, "\n"))
}
