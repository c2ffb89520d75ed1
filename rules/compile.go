package rules

import (
	"cmp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	celast "cel.dev/cel-go/common/ast"

	"spacecloud/query"
	"spacecloud/schema"
)

// compiler gathers a Set, and all that is wrong on the way.
type compiler struct {
	set      *Set
	schema   *schema.Schema
	env      *cel.Env
	indexes  map[operandKey]int
	found    []lookup
	partial  bool // whether what the schema lacks may be what is wrong with it
	problems schema.Problems
}

// Compile compiles every rule, check and default of a schema; the error is schema.Problems.
func Compile(s *schema.Schema) (*Set, error) { return compile(s, false) }

// Problems are what is wrong with the rules of a schema that is not whole: schema.Problems, nil for nothing.
// That a name is unknown is left out, since the schema may lack it for what is wrong with it.
func Problems(s *schema.Schema) error {
	_, err := compile(s, true)
	return err
}

func compile(s *schema.Schema, partial bool) (*Set, error) {
	env, err := newEnv(s)
	if err != nil {
		return nil, err
	}
	c := &compiler{set: newSet(), schema: s, env: env, indexes: map[operandKey]int{}, partial: partial}
	for _, t := range s.Types {
		if err := c.compileType(t); err != nil {
			return nil, err
		}
	}
	if len(c.problems) > 0 {
		return nil, sorted(c.problems)
	}
	c.set.unindexed = unindexed(append(linkLookups(s), c.found...))
	return c.set, nil
}

func (c *compiler) compileType(t *schema.Type) error {
	env, err := c.env.Extend(cel.Variable("doc", cel.ObjectType(t.Name)))
	if err != nil {
		return err
	}
	of := unit{c, env, t}
	of.rules()
	for _, check := range t.Checks {
		of.check(check)
	}
	for _, f := range t.Fields {
		of.fieldRules(f)
		of.defaultOf(f)
	}
	return nil
}

// unit is the compilation of one type's expressions.
type unit struct {
	*compiler
	env *cel.Env
	of  *schema.Type
}

func (u unit) rules() {
	if u.of.Owned {
		for _, v := range verbs {
			u.set.rules[Use{Type: u.of, Verb: v}] = newRule(Use{Type: u.of, Verb: v}, schema.Expr{}, clause{node: fixed(query.True)})
		}
		return
	}
	for _, v := range verbs {
		u.rule(Use{Type: u.of, Verb: v}, text(u.of.Rules, v))
	}
}

func (u unit) fieldRules(f *schema.Field) {
	for _, v := range verbs[:query.Delete] {
		u.rule(Use{Type: u.of, Field: f, Verb: v}, text(f.Rules, v))
		if link := f.Link; link != nil && link.Owns {
			u.inherit(f, link, v)
		}
	}
}

// inherit gives the key column that a link made the link's own rule: it says the same.
func (u unit) inherit(f *schema.Field, l *schema.Link, v query.Verb) {
	if r := u.set.rules[Use{Type: u.of, Field: f, Verb: v}]; r != nil {
		for _, key := range l.From {
			if key.Inferred {
				u.set.rules[Use{Type: u.of, Field: key, Verb: v}] = r
			}
		}
	}
}

func (u unit) rule(use Use, e schema.Expr) {
	if e.Text == "" {
		return
	}
	if a := u.parse(e); a != nil && u.isCondition(e, a) {
		text := e.Text
		var c clause
		c.node = u.translate(e, a, func(t *translator, e celast.Expr) node {
			c = t.clause(e)
			if !strings.Contains(text, "\n") {
				c.text = text
			}
			return t.bounded(e, c.node)
		})
		u.set.rules[use] = newRule(use, e, c)
		u.set.rules[use].timely = mentions(a.Expr(), "now")
		u.lookups(e.Pos, "the "+use.Verb.String()+" rule of "+use.what(), c.node, use.Field == nil && use.Verb == query.Read)
	}
}

// mentions is whether a name stands in an expression.
func mentions(e celast.Expr, name string) bool {
	found := false
	celast.PreOrderVisit(e, celast.NewExprVisitor(func(e celast.Expr) {
		found = found || e.Kind() == celast.IdentKind && e.AsIdent() == name
	}))
	return found
}

var verbs = []query.Verb{query.Read, query.Create, query.Update, query.Delete}

func text(r schema.Rules, v query.Verb) schema.Expr {
	return [...]schema.Expr{r.Read, r.Create, r.Update, r.Delete}[v]
}

// parse is the checked expression, or nil after problems.
func (u unit) parse(e schema.Expr) *celast.AST {
	checked, issues := u.env.Compile(e.Text)
	if issues.Err() == nil {
		return checked.NativeRep()
	}
	for _, each := range issues.Errors() {
		if syntax, bad := strings.CutPrefix(each.Message, "Syntax error: "); bad {
			u.problem(e, each.Location, "this is not CEL: "+plainSyntax(e.Text, syntax))
			return nil // what follows a syntax error follows from it
		}
		if u.partial && isUnknown(each.Message) {
			continue
		}
		u.problem(e, each.Location, plainIssue(e.Text, each)+u.suggestion(each.Message))
	}
	return nil
}

// suggestion is the field of the rule's own type that a wrong name resembles.
func (u unit) suggestion(message string) string {
	m := unknownField.FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	var names []string
	for _, f := range u.of.Fields {
		names = append(names, f.Name)
	}
	return schema.DidYouMean(m[1], names)
}

func (u unit) isCondition(e schema.Expr, a *celast.AST) bool {
	switch out := a.GetType(a.Expr().ID()); cel.FormatCELType(out) {
	case "bool", "dyn", "wrapper(bool)":
		return true
	default:
		u.problem(e, common.NewLocation(1, 0), "a rule is a condition, and this is a "+plainType(cel.FormatCELType(out)))
		return false
	}
}

// translate makes a node of a checked expression with one of the translator's methods.
func (u unit) translate(e schema.Expr, a *celast.AST, with func(*translator, celast.Expr) node) node {
	t := &translator{compiler: u.compiler, ast: a, rows: map[string]scope{"doc": {of: u.of}}}
	n := node(fixed(query.Unknown))
	if !t.refuseCalls(a.Expr()) {
		n = with(t, a.Expr())
	}
	for _, p := range t.problems {
		u.problem(e, a.SourceInfo().GetStartLocation(p.id), p.text)
	}
	return n
}

// problem is something wrong at a place in an expression, once.
func (c *compiler) problem(e schema.Expr, at common.Location, text string) {
	pos := e.Pos
	// Of a block string the parser has taken the indentation, so that in its later lines the
	// column counts from there.
	if at.Line() == 1 {
		pos.Column += at.Column()
	} else if at.Line() > 1 {
		pos.Line += at.Line() - 1
		pos.Column = at.Column() + 1
	}
	for _, p := range c.problems {
		if p.Pos == pos {
			return
		}
	}
	c.problems = append(c.problems, schema.Problem{Pos: pos, Message: text})
}

func sorted(ps schema.Problems) schema.Problems {
	slices.SortStableFunc(ps, func(a, b schema.Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ps
}

// plan is a program for a part of a checked expression.
func (c *compiler) plan(a *celast.AST, e celast.Expr) (cel.Program, error) {
	part := celast.NewCheckedAST(celast.NewAST(e, a.SourceInfo()), a.TypeMap(), a.ReferenceMap())
	return c.env.PlanProgram(part, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costLimit))
}
