package graph

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/tidwall/gjson"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/resolvers"
	"spacecloud/schema"
)

// plans are the plans of one operation, by the shape of its variables.
type plans struct {
	once       sync.Once
	ready      atomic.Bool
	structural []*ast.VariableDefinition
	mu         sync.RWMutex
	byShape    map[string]*opPlan // guarded by mu
}

// opPlan is an operation compiled for variables of one shape. It holds none of their values.
type opPlan struct {
	parts []part
	args  []argument
	tail  string
	lanes [][]int // the parts of a query of several databases that are answered at the same time, else nil
}

// part is one root field of rows, or a run of fields that are handed on.
type part struct {
	before  string // the response key, and the constants before it
	alias   string
	field   *ast.Field         // the first of the key
	sets    []ast.SelectionSet // of all of them
	root    generator.Root
	found   *resolvers.Found // of a query
	answer  resolvers.Answer // of a mutation
	nonNull bool
	handOn  ast.SelectionSet
}

// Exec answers an operation: rows by plans, everything else by the generated schema. The answers of a
// subscription go on until it, or its context, ends.
func (e *executable) Exec(ctx context.Context) graphql.ResponseHandler {
	oc := graphql.GetOperationContext(ctx)
	if oc.Operation.Operation == ast.Subscription {
		return e.subscribe(ctx, oc, operationOf(ctx))
	}
	data, errs := e.run(ctx, oc, operationOf(ctx))
	return graphql.OneShot(&graphql.Response{Data: json.RawMessage(data), Errors: errs})
}

// run is the data of an operation, or null.
func (e *executable) run(ctx context.Context, oc *graphql.OperationContext, op *operation) ([]byte, gqlerror.List) {
	listed(oc.Variables)
	p, err := e.plan(oc, op, bufferOf(ctx))
	if err != nil {
		return null(), e.failed(ctx, op.def, err)
	}
	if op.def.Operation == ast.Mutation {
		return e.mutate(ctx, oc, p)
	}
	return e.query(ctx, oc, p)
}

func null() []byte { return []byte("null") }

// plan is the operation's plan for the shape of the variables, which is written to room.
func (e *executable) plan(oc *graphql.OperationContext, op *operation, room []byte) (*opPlan, error) {
	ps := &op.plans
	if !ps.ready.Load() { // a closure costs an allocation, which is for the first request
		ps.once.Do(func() {
			ps.structural, ps.byShape = structural(op.def), map[string]*opPlan{}
			ps.ready.Store(true)
		})
	}
	shape := appendShape(room, e.api.Schema, ps.structural, oc.Variables)
	ps.mu.RLock()
	p := ps.byShape[string(shape)]
	ps.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	p, err := e.compile(oc, op.def)
	if err != nil {
		return nil, err
	}
	ps.keep(shape, p)
	return p, nil
}

// maxShape is the longest shape worth a plan that is kept, in bytes: who sends a filter of
// hundreds of conditions will hardly send that very one again.
const maxShape = 1 << 10

// keep keeps a plan for the requests to come.
func (ps *plans) keep(shape []byte, p *opPlan) {
	if len(shape) > maxShape {
		return
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if len(ps.byShape) >= maxPlans {
		clear(ps.byShape)
	}
	ps.byShape[string(shape)] = p
}

func (e *executable) compile(oc *graphql.OperationContext, op *ast.OperationDefinition) (*opPlan, error) {
	k := &compiler{api: e.api, res: e.resolvers, vars: oc.Variables, plan: &opPlan{}}
	roots := e.api.Queries
	if op.Operation == ast.Mutation {
		roots = e.api.Mutations
	}
	before := "{"
	for _, s := range k.collect(op.SelectionSet) {
		root, ours := roots[s.field.Name]
		switch {
		case s.field.Name == "__typename":
			before += strconv.Quote(s.alias) + ":" + strconv.Quote(s.field.ObjectDefinition.Name) + ","
			continue
		case ours:
			k.at = s
			p := part{before: before + strconv.Quote(s.alias) + ":", alias: s.alias, field: s.field, sets: s.sets, root: root}
			if err := k.root(&p, s, op.Operation); err != nil {
				return nil, &misplaced{s, err}
			}
			k.plan.parts = append(k.plan.parts, p)
		default:
			k.handOn(s, before)
		}
		before = ","
	}
	if k.err != nil {
		return nil, k.err
	}
	k.plan.tail = trimComma(before) + "}"
	switch op.Operation {
	case ast.Query:
		k.plan.split()
	case ast.Subscription:
		return k.plan, k.plan.isOne()
	}
	return k.plan, nil
}

func trimComma(s string) string { return strings.TrimSuffix(s, ",") }

// root compiles a root field of rows.
func (k *compiler) root(p *part, s *selected, op ast.Operation) error {
	p.nonNull = s.field.Definition.Type.NonNull
	if err := k.mustGive(s.field); err != nil {
		return err
	}
	if op == ast.Mutation {
		var err error
		p.answer, err = k.answerOf(p.root, s, p.before)
		return err
	}
	if p.root.Kind == generator.Connection {
		find, err := k.connection("", p.root.Type, s)
		if err == nil {
			p.found = k.res.Find(find)
		}
		return err
	}
	find, err := k.asks(p.root, s)
	if err != nil {
		return err
	}
	if p.root.Kind == generator.One {
		if find.Where, err = k.byKey(s.field, p.root.Key); err != nil {
			return err
		}
	}
	p.found = k.res.Find(find)
	return nil
}

// handOn adds a field that is not of rows, to those before it when they are such too.
func (k *compiler) handOn(s *selected, before string) {
	f := *s.field
	f.SelectionSet = slices.Concat(s.sets...)
	if n := len(k.plan.parts); n > 0 && k.plan.parts[n-1].handOn != nil && before == "," {
		last := &k.plan.parts[n-1]
		last.handOn = append(last.handOn, &f)
		return
	}
	k.plan.parts = append(k.plan.parts, part{before: before, handOn: ast.SelectionSet{&f}})
}

// misplaced is an error in the arguments of a root field or below it, found before anything ran.
type misplaced struct {
	in *selected
	error
}

// failed shows an error of an operation.
func (e *executable) failed(ctx context.Context, op *ast.OperationDefinition, err error) gqlerror.List {
	if m, ok := err.(*misplaced); ok { //nolint:errorlint // compile does not wrap it
		return e.presenter.all(ctx, m.error, ast.Path{ast.PathName(m.in.alias)}, m.in.field.Position)
	}
	return e.presenter.all(ctx, err, nil, op.Position)
}

// failed shows an error of a root field.
func (p *part) failed(ctx context.Context, e *executable, err error) gqlerror.List {
	return e.presenter.all(ctx, err, ast.Path{ast.PathName(p.alias)}, p.field.Position)
}

// query answers the parts: one after the other, or those of several databases at the same time. The
// error of one that may be null leaves the others.
func (e *executable) query(ctx context.Context, oc *graphql.OperationContext, p *opPlan) ([]byte, gqlerror.List) {
	var room [16]schema.Value
	args, err := p.values(room[:0], oc.Variables)
	if err != nil {
		return null(), e.failed(ctx, oc.Operation, err)
	}
	if p.lanes != nil {
		return e.atOnce(ctx, p, slices.Clone(args))
	}
	caller := auth.From(ctx)
	dst := bufferOf(ctx)
	var errs gqlerror.List
	for i := range p.parts {
		var failed gqlerror.List
		var ok bool
		dst, failed, ok = e.answer(ctx, caller, &p.parts[i], args, dst)
		errs = append(errs, failed...)
		if !ok {
			return null(), errs
		}
	}
	return append(dst, p.tail...), errs
}

// answer appends the answer of a part of a query; false where it would be null and may not be.
func (e *executable) answer(ctx context.Context, c *auth.Caller, p *part, args []schema.Value, dst []byte) ([]byte, gqlerror.List, bool) {
	dst = append(dst, p.before...)
	if p.handOn != nil {
		members, failed := e.handOn(ctx, p.handOn)
		return append(dst, members...), failed, members != nil
	}
	start := len(dst)
	dst, err := p.found.Run(ctx, c, args, dst)
	if err == nil {
		return dst, nil, true
	}
	if m, ok := err.(*resolvers.Missing); ok { //nolint:errorlint // Run does not wrap it
		dst, ok = p.promised().keep(dst[:start], gjson.Parse(string(dst[start:])))
		return dst, e.presenter.missing(ctx, m.Faults, p), ok
	}
	return append(dst, "null"...), p.failed(ctx, e, err), !p.nonNull
}

// mutate makes the changes of all parts in one transaction for each database.
func (e *executable) mutate(ctx context.Context, oc *graphql.OperationContext, p *opPlan) ([]byte, gqlerror.List) {
	args, err := p.values(nil, oc.Variables)
	if err != nil {
		return null(), e.failed(ctx, oc.Operation, err)
	}
	k := &compiler{api: e.api, res: e.resolvers, vars: oc.Variables, now: true, clock: auth.From(ctx).Now}
	changes := make([]resolvers.Change, 0, len(p.parts))
	for i := range p.parts {
		part := &p.parts[i]
		if part.handOn != nil {
			if len(p.parts) == 1 {
				if _, asked := oc.Headers[idempotencyHeader]; asked {
					return null(), e.failed(ctx, oc.Operation, errOnceIsForRows)
				}
				return e.handedOn(ctx, part, p.tail)
			}
			return null(), e.failed(ctx, oc.Operation, fault.New(fault.Invalid,
				"changes of rows cannot be mixed with calls of code in one request; send two"))
		}
		c, err := k.change(part)
		if err != nil {
			return null(), part.failed(ctx, e, err)
		}
		c.Args = args
		changes = append(changes, c)
	}
	dst, err := e.write(ctx, oc, changes)
	if m, ok := err.(*resolvers.Missing); ok { //nolint:errorlint // Write does not wrap it
		return e.changed(ctx, p, append(dst, p.tail...), m)
	}
	if err != nil {
		return null(), e.presenter.all(ctx, err, nil, p.position(err, oc.Operation))
	}
	return append(dst, p.tail...), nil
}

// changed is the answer of changes that are made, where not all that it should show is to be had. The errors say
// so, for others of a mutation mean that nothing was changed.
func (e *executable) changed(ctx context.Context, p *opPlan, data []byte, m *resolvers.Missing) ([]byte, gqlerror.List) {
	all := &promise{members: map[string]*promise{}, sets: []ast.SelectionSet{{}}, typ: &ast.Type{}}
	var errs gqlerror.List
	for i := range p.parts {
		part := &p.parts[i]
		all.members[part.alias] = part.promised()
		var faults []*fault.Error
		for _, f := range m.Faults {
			if of := *f; len(f.Path) > 0 && f.Path[0] == part.alias || len(f.Path) == 0 && i == len(p.parts)-1 { // without a path it says how many more there are
				of.Path, of.Message = f.Path[min(1, len(f.Path)):], f.Message+"; the change was made"
				faults = append(faults, &of)
			}
		}
		errs = append(errs, e.presenter.missing(ctx, faults, part)...)
	}
	data, _ = all.keep(nil, gjson.ParseBytes(data))
	return data, errs
}

// position is where the operation asks for the change that failed.
func (p *opPlan) position(err error, op *ast.OperationDefinition) *ast.Position {
	for _, f := range fault.All(err) {
		for _, part := range p.parts {
			if len(f.Path) > 0 && f.Path[0] == part.alias {
				return part.field.Position
			}
		}
	}
	return op.Position
}

// handedOn answers a mutation that is code only.
func (e *executable) handedOn(ctx context.Context, p *part, tail string) ([]byte, gqlerror.List) {
	members, errs := e.handOn(ctx, p.handOn)
	if members == nil {
		return null(), errs
	}
	return slices.Concat([]byte(p.before), members, []byte(tail)), errs
}

// values are the parameters of a plan.
func (p *opPlan) values(dst []schema.Value, vars map[string]any) ([]schema.Value, error) {
	for i := range p.args {
		v, err := p.args[i].value(vars)
		if err != nil {
			return dst, &misplaced{p.args[i].at, err}
		}
		dst = append(dst, v)
	}
	return dst, nil
}
