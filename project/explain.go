package project

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/graph"
	"spacecloud/migrate"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Claimed is who a token of these claims would make, or nobody without any.
func (p *Project) Claimed(claims map[string]any) *auth.Caller {
	if claims == nil {
		return &auth.Caller{Now: time.Now(), Claims: map[string]any{}}
	}
	return auth.Claimed(claims, p.Settings.Auth.Claims, time.Now())
}

// ExplainRequest tells what the rules make of a request of a caller: of each type and field that
// it asks for, and what the databases would be asked. None of them is.
func (p *Project) ExplainRequest(c *auth.Caller, q graph.Request) (string, error) {
	b, err := p.compile()
	if err != nil {
		return "", err
	}
	all, err := graph.Explain(graph.Options{API: b.api, Resolvers: b.rows}, c, q)
	if err != nil {
		return "", fault.New(fault.Invalid, "%s", strings.TrimSpace(err.Error()))
	}
	t := teller{folder: p.Settings.Schema}
	for _, e := range all {
		t.explanation(e)
	}
	return t.String(), nil
}

// ExplainRow tells what the rules say to a caller of a stored row: clause by clause, of the type, and of a
// field or all that have a rule. The row is named by its type and primary key, as Post:p1, the values of a key
// of several columns by commas.
func (p *Project) ExplainRow(ctx context.Context, c *auth.Caller, row, field string) (string, error) {
	b, err := p.compile()
	if err != nil {
		return "", err
	}
	t, key, err := rowNamed(b.schema, row)
	if err != nil {
		return "", err
	}
	uses, err := usesOf(t, field)
	if err != nil {
		return "", err
	}
	if err := p.complete(ctx, b.schema); err != nil {
		return "", err
	}
	all, err := b.rows.Judge(ctx, c, t, key, uses)
	if err != nil {
		return "", err
	}
	tell := teller{folder: p.Settings.Schema}
	fmt.Fprintf(&tell, "%s in %s\n", row, t.DB)
	for i := range all {
		tell.judged(&all[i])
	}
	return tell.String(), nil
}

// complete refuses databases that lack something which the schema needs.
func (p *Project) complete(ctx context.Context, s *schema.Schema) error {
	targets, err := p.Databases()
	if err != nil {
		return err
	}
	for _, db := range targets {
		plan, err := migrate.Make(ctx, db, s, migrate.Options{Policy: migrate.Keep})
		if err != nil {
			return located(p.Settings.Schema, err)
		}
		if err := lacking(plan); err != nil {
			return err
		}
	}
	return nil
}

// rowNamed is the type and the primary key of a row that is named Post:p1.
func rowNamed(s *schema.Schema, row string) (*schema.Type, []schema.Value, error) {
	name, text, ok := strings.Cut(row, ":")
	t := s.Type(name)
	if !ok || t == nil || t.Kind == schema.Embed || len(t.Primary) == 0 {
		var names []string
		for _, t := range s.Types {
			if !t.Owned && len(t.Primary) > 0 {
				names = append(names, t.Name)
			}
		}
		return nil, nil, fault.New(fault.Invalid, "%q is no row; write the type and the primary key, such as %s:KEY%s", row, names[0], schema.DidYouMean(name, names))
	}
	texts := strings.SplitN(text, ",", len(t.Primary))
	if len(texts) < len(t.Primary) {
		return nil, nil, fault.New(fault.Invalid, "the key of %s has %d values; write them with commas between", name, len(t.Primary))
	}
	key := make([]schema.Value, len(texts))
	for i, f := range t.Primary {
		var err error
		if key[i], err = f.Coerce(texts[i]); err != nil {
			key[i], err = f.Coerce(json.Number(texts[i]))
		}
		if err != nil {
			return nil, nil, fault.New(fault.Invalid, "the %s of %s cannot be %q: %v", f.Name, name, texts[i], err)
		}
	}
	return t, key, nil
}

// usesOf are the rules that are told of a row: those of its type, and of the fields that have one, or
// of the one field that is asked for.
func usesOf(t *schema.Type, field string) ([]rules.Use, error) {
	uses := []rules.Use{{Type: t, Verb: query.Read}}
	if field != "" {
		f := t.Field(field)
		if f == nil {
			var names []string
			for _, f := range t.Fields {
				names = append(names, f.Name)
			}
			return nil, fault.New(fault.Invalid, "%s has no field %s%s", t.Name, field, schema.DidYouMean(field, names))
		}
		return append(uses, rules.Use{Type: t, Field: f, Verb: query.Read}, rules.Use{Type: t, Verb: query.Update}, rules.Use{Type: t, Field: f, Verb: query.Update}), nil
	}
	uses = append(uses, rules.Use{Type: t, Verb: query.Update}, rules.Use{Type: t, Verb: query.Delete})
	for _, f := range t.Fields {
		if f.Rules.Read.Text != "" {
			uses = append(uses, rules.Use{Type: t, Field: f, Verb: query.Read})
		}
	}
	return uses, nil
}

// teller puts explanations into words.
type teller struct {
	strings.Builder
	folder string
}

func (t *teller) line(indent int, format string, args ...any) {
	t.WriteString(strings.Repeat("  ", indent))
	fmt.Fprintf(t, format, args...)
	t.WriteString("\n")
}

func (t *teller) explanation(e resolvers.Explanation) {
	for _, s := range e.Steps {
		t.line(0, "%s: %s of %s", s.Name, s.Verb, s.Type.Name)
		for _, r := range s.Rules {
			t.rule(r)
		}
	}
	if e.Refused != nil {
		t.line(0, "refused: %s, %s", fault.KindOf(e.Refused), Explain(e.Refused))
	}
	for _, s := range e.Statements {
		t.statement(s)
	}
}

func (t *teller) statement(s resolvers.Statement) {
	t.line(0, "%s, from %s:", s.About, s.Database)
	if s.Text == "" {
		t.line(1, "nothing is asked: the rules leave no row")
		return
	}
	t.line(1, "%s", s.Text)
	if len(s.With) > 0 {
		t.line(1, "with %s", strings.Join(s.With, ", "))
	}
}

// rule tells what is left of a rule before any row is looked at.
func (t *teller) rule(e rules.Explained) {
	t.line(1, "%s", t.where(e))
	if e.Rule.Line == 0 {
		return
	}
	t.line(2, "%s", e.Clause.Text)
	switch e.Left {
	case query.True:
		t.line(2, "= true, whatever the row")
	case query.False:
		t.line(2, "= %s, whatever the row: refused", e.Clause.Left)
	default:
		t.line(2, "= %s%s", e.Left, claims(e.Claims, e.Left))
	}
}

// where is which rule it is, and what it means that there is none.
func (t *teller) where(e rules.Explained) string {
	if e.Rule.Line == 0 && e.Use.Field != nil {
		return e.Use.String() + ": no rule, so it goes with the row"
	}
	return e.Rule.In(t.folder)
}

// claims are the values that a condition compares with.
func claims(all []rules.Bound, in query.Where) string {
	texts := map[string]string{}
	query.Walk(&query.Level{Where: in}, func(o query.Operand) {
		i := slices.IndexFunc(all, func(b rules.Bound) bool { return o.Kind == query.Claim && b.Operand.Index == o.Index })
		if i >= 0 {
			texts[o.String()] = fmt.Sprintf("%s is %s = %s", o, all[i].Of, all[i].Value)
		}
	})
	if len(texts) == 0 {
		return ""
	}
	var sorted []string
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		sorted = append(sorted, texts[name])
	}
	return "   (" + strings.Join(sorted, ", ") + ")"
}

// judged tells what a rule is of a row, and what follows.
func (t *teller) judged(e *rules.Explained) {
	t.line(0, "%s", t.where(*e))
	if e.Rule.Line > 0 {
		t.clause(1, &e.Clause, e.Claims)
		t.line(1, "%s", follows(e))
	}
}

func (t *teller) clause(indent int, c *rules.Clause, all []rules.Bound) {
	why := ""
	if c.Joint == rules.Whole {
		why = "   = " + c.Left.String() + claims(all, c.Left)
		if _, decided := c.Left.(query.Truth); decided {
			why = "   by the claims alone"
		}
	}
	t.line(indent, "%-7s  %s%s", c.Is, c.Text, why)
	for i := range c.Parts {
		t.clause(indent+1, &c.Parts[i], all)
	}
}

// follows is what the truth of a rule means for the caller.
func follows(e *rules.Explained) string {
	yes := e.Clause.Is == query.True
	u, it := e.Use, "it"
	if u.Field != nil {
		it = u.Field.Name
	}
	switch {
	case u.Field != nil && u.Verb == query.Read && yes:
		return "so " + it + " is shown with the row"
	case u.Field != nil && u.Verb == query.Read:
		return "so " + it + " is hidden"
	case u.Verb == query.Read && yes:
		return "so the row is there"
	case u.Verb == query.Read:
		return "so the row is not there"
	case u.Verb == query.Update && yes:
		return "so " + it + " may be updated, if that is true of the new row as well"
	case yes:
		return "so it may be deleted"
	}
	return "so " + it + " may not be " + u.Verb.String() + "d"
}
