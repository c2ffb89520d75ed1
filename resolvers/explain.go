package resolvers

import (
	"fmt"
	"slices"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Explanation is what the rules make of one root field of a request.
type Explanation struct {
	Steps []Step
	// Refused is why there is no answer, nil when nothing is known before the rows are.
	Refused    error
	Statements []Statement // that would run, or tell which rows a change would find
}

// Step is rows of one type that a request reads or changes.
type Step struct {
	Name  string // the way to them in the answer or the input
	Verb  query.Verb
	Type  *schema.Type
	Rules []rules.Explained // first the type's own, then all that count besides
}

// Statement is what one database would be asked.
type Statement struct {
	About    string // posts: Post
	Database string
	Text     string // "" where the rules leave nothing to ask
	With     []string
}

// Steps is what the rules make of a find for a caller. Nothing is asked of a database.
func (f *Found) Steps(c *auth.Caller, name string, args []schema.Value) Explanation {
	x := explainer{r: f.r, caller: c, args: args}
	x.find(name, f.find)
	x.plan(name, f)
	return x.Explanation
}

// Steps is what the rules make of a change for a caller. Nothing is changed, and nothing is asked of a
// database: of an update or delete it says how the rows are found.
func (r *Resolvers) Steps(c *auth.Caller, change *Change) Explanation {
	x := explainer{r: r, caller: c, args: change.Args}
	x.change(change)
	for _, f := range change.answers() {
		x.find(change.Name, f.find)
	}
	return x.Explanation
}

// answers are the finds of a change's answer.
func (c *Change) answers() []*Found {
	if c.One {
		return []*Found{c.Answer.Row}
	}
	var out []*Found
	for _, m := range c.Answer.Members {
		if m.Returning != nil {
			out = append(out, m.Returning)
		}
	}
	return out
}

// explainer makes one explanation.
type explainer struct {
	Explanation

	r      *Resolvers
	caller *auth.Caller
	args   []schema.Value
}

func (x *explainer) step(name string, verb query.Verb, t *schema.Type, uses []rules.Use) {
	s := Step{Name: name, Verb: verb, Type: t}
	own := rules.Use{Type: t, Verb: verb}
	for _, u := range append([]rules.Use{own}, uses...) {
		if !u.Type.Owned && (u != own || len(s.Rules) == 0) {
			s.Rules = append(s.Rules, x.r.Rules.Explain(x.caller, u))
		}
	}
	x.Steps = append(x.Steps, s)
}

// find tells of the rows of a find, and of those that its links lead to.
func (x *explainer) find(name string, f *query.Find) {
	items := shown(f)
	asked := query.Level{Type: f.Type, Columns: fieldsShown(items), Where: f.Where, OrderBy: complete(f), Distinct: f.Distinct, Groups: f.Groups}
	x.step(name, query.Read, f.Type, x.r.Rules.Uses(nil, asked, query.Read))
	for _, item := range items {
		if item.Find != nil {
			x.find(name+"."+item.Name, item.Find)
		}
	}
}

// fieldsShown are the columns and links that items show.
func fieldsShown(items []query.Item) []query.Cell {
	return slices.DeleteFunc(cells(items), func(c query.Cell) bool { return c.Field.Inferred })
}

// plan tells of the statements of a find.
func (x *explainer) plan(name string, f *Found) {
	p, err := f.plan(x.caller, strict)
	if err != nil {
		x.Refused = err
		return
	}
	for _, l := range p.levels {
		about := name
		if l.name != "" {
			about = l.name
		}
		s := Statement{About: about + ": " + l.typ.Name, Database: p.databases[l.reader].Name()}
		if l.statement != nil {
			x.questions(l.questions)
			s.Text, s.With = l.statement.String(), x.with(l.statement, l.asked, l.questions)
		}
		x.Statements = append(x.Statements, s)
	}
}

// questions tells of what other databases are asked before a level.
func (x *explainer) questions(p *prepared) {
	if p == nil {
		return
	}
	p.each(func(of, q *prepared, i, _ int) {
		x.Statements = append(x.Statements, Statement{
			About: "first " + of.apart.Questions[i].Asked(), Database: q.db.Name(), Text: q.statement.String(), With: x.with(q.statement, q.asked, q),
		})
	})
}

// with are the values of a statement. Of one that does not tell itself they are those that its
// level names. Prepared is nil where no other database is asked before.
func (x *explainer) with(s driver.Statement, l *query.Level, p *prepared) []string {
	b := x.binding(l, p)
	if told, ok := s.(driver.Bound); ok {
		return told.Bound(b)
	}
	var out []string
	query.Walk(l, func(o query.Operand) {
		text := ""
		switch {
		case o.Kind == query.Arg && o.Index >= len(b.Args):
			text = fmt.Sprintf("%s = %s", o, driver.Answered)
		case o.Kind == query.Arg:
			text = fmt.Sprintf("%s = %s", o, b.Args[o.Index])
		case o.Kind == query.Claim:
			text = fmt.Sprintf("%s = %s", o, b.Claims[o.Index])
		}
		if text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	})
	return out
}

// binding are the values that a level is asked with: those of the request and of the caller.
func (x *explainer) binding(l *query.Level, p *prepared) query.Binding {
	b := query.Binding{Args: x.args, Claims: make([]schema.Value, x.r.Rules.Operands())}
	if p != nil && p.apart != nil {
		b.Args = p.apart.Known(x.args)
	}
	query.Walk(l, func(o query.Operand) {
		if o.Kind == query.Claim {
			x.r.Rules.Claims(x.caller, []int{o.Index}, b.Claims)
		}
	})
	return b
}

// change tells of a change: its own rows, and those that it writes along links.
func (x *explainer) change(c *Change) {
	w := query.Write{Verb: c.Verb, Type: c.Type, Where: c.where(), Chosen: c.chosen()}
	links := c.Links
	for _, a := range c.Set {
		w.Set = append(w.Set, a.Assign)
	}
	for _, doc := range c.Docs {
		for _, v := range doc {
			switch {
			case v.Field.IsLink():
				links = append(links, v)
			case !slices.Contains(w.Columns, v.Field):
				w.Columns = append(w.Columns, v.Field)
			}
		}
	}
	uses := x.r.Rules.WriteUses(nil, w)
	for _, l := range links {
		if own := (rules.Use{Type: c.Type, Field: l.Field, Verb: c.Verb}); x.r.Rules.Explain(x.caller, own).Rule.Line > 0 {
			uses = append(uses, own)
		}
	}
	x.step(c.Name, c.Verb, c.Type, uses)
	if c.OnConflict != nil {
		x.step(c.Name, query.Update, c.Type, nil)
	}
	if _, x.Refused = x.r.Rules.Write(x.caller, w); x.Refused == nil && c.Verb != query.Create {
		x.found(c)
	}
	x.links(c.Name, links)
}

// links tells of what is written along links: the rows that are made, and those that are named, which
// change as well where they hold the key.
func (x *explainer) links(name string, links []FieldValue) {
	for _, v := range links {
		name, l := name+"."+v.Field.Name, v.Field.Link
		target := l.Target
		for _, doc := range v.Link.Create {
			x.change(&Change{Name: name, Verb: query.Create, Type: target, Docs: []Doc{doc}})
		}
		if len(v.Link.Connect)+len(v.Link.Disconnect)+len(v.Link.Set) > 0 {
			x.step(name, query.Read, target, nil)
			if !l.Owns && l.Through == nil {
				x.step(name, query.Update, target, nil)
			}
		}
	}
}

// found tells how an update or delete finds its rows.
func (x *explainer) found(c *Change) {
	l := query.Level{Type: c.Type, Where: c.where(), Chosen: c.chosen()}
	for _, f := range c.Type.Primary {
		l.Columns = append(l.Columns, query.Cell{Field: f})
	}
	narrowed, err := x.r.Rules.Level(x.caller, c.Verb, l)
	if err != nil {
		x.Refused = err
		return
	}
	p, err := x.r.prepare(narrowed)
	if err != nil {
		x.Refused = err
		return
	}
	x.questions(p)
	x.Statements = append(x.Statements, Statement{
		About: c.Name + ": the rows to " + c.Verb.String(), Database: p.db.Name(), Text: p.statement.String(), With: x.with(p.statement, p.asked, p),
	})
}
