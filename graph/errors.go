package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/fault"
)

// statuses are the HTTP statuses of requests that fail before anything is executed.
var statuses = map[fault.Kind]int{
	fault.Invalid:         http.StatusBadRequest,
	fault.Validation:      http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Denied:          http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Limit:           http.StatusBadRequest,
	fault.RateLimited:     http.StatusTooManyRequests,
	fault.Timeout:         http.StatusGatewayTimeout,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Internal:        http.StatusInternalServerError,
}

// statusOf is the status of a request whose first error is err. A client that asked for
// application/json learns from the body what is wrong with a well-formed request, as the
// GraphQL-over-HTTP draft has it.
func statusOf(err *gqlerror.Error, f format) int {
	status := http.StatusBadRequest
	if kind, ok := err.Extensions["code"].(fault.Kind); ok {
		status = statuses[kind]
	}
	if f == plainJSON {
		switch status {
		case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict:
			return http.StatusOK
		}
	}
	return status
}

// refusal is a failure of the HTTP request itself, with the status that says so.
type refusal struct {
	status int
	fault  *fault.Error
}

func (r *refusal) Error() string { return r.fault.Error() }
func (r *refusal) Unwrap() error { return r.fault }

func refuse(status int, k fault.Kind, format string, args ...any) error {
	return &refusal{status, fault.New(k, format, args...)}
}

// exceeded is what a limit says: what there is, what is allowed and which setting allows more.
func exceeded(setting string, limit int, value int64, format string, args ...any) *fault.Error {
	f := fault.New(fault.Limit, "%s; limits.%s allows %d", fmt.Sprintf(format, args...), setting, limit)
	f.Details = map[string]any{"limit": limit, "value": value, "setting": "limits." + setting}
	return f
}

// errorsShown is how many errors one answer lists.
const errorsShown = 100

// presenter makes what clients see of errors, and logs what they do not see.
type presenter struct {
	log         *slog.Logger
	suggestions bool
	rules       bool   // whether a refusal names its rule
	folder      string // of the files that rules are in
}

func newPresenter(o Options) *presenter {
	return &presenter{o.Log, o.Suggestions, o.Development, o.Folder}
}

// present is a graphql.ErrorPresenterFunc.
func (p *presenter) present(ctx context.Context, err error) *gqlerror.Error {
	g, known := errors.AsType[*gqlerror.Error](err)
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return p.fault(ctx, f, g)
	}
	if known && (g.Err == nil || ofDocument(g)) {
		return p.written(g)
	}
	return p.fault(ctx, p.unexpected(ctx, err), g)
}

// all presents every fault in err as an error of the field at path, pos being where the
// document asks for it. Without a path, a fault's own path begins with the root field's.
func (p *presenter) all(ctx context.Context, err error, path ast.Path, pos *ast.Position) gqlerror.List {
	var list gqlerror.List
	at := &gqlerror.Error{Path: path}
	if pos != nil {
		at.Locations = []gqlerror.Location{{Line: pos.Line, Column: pos.Column}}
	}
	for _, f := range fault.All(err) {
		if f.Kind == fault.Internal && errors.Is(f.Cause, err) {
			f = p.unexpected(ctx, err)
		}
		list = append(list, p.fault(ctx, f, at))
		if len(list) == errorsShown {
			break
		}
	}
	return list
}

// missing presents what a part lacks, and logs each reason once: who runs the server has to see to it.
// The paths of the faults go on from the part.
func (p *presenter) missing(ctx context.Context, faults []*fault.Error, of *part) gqlerror.List {
	list := make(gqlerror.List, 0, len(faults))
	logged := map[string]bool{}
	for _, f := range faults {
		path := ast.Path{ast.PathName(of.alias)}
		for _, step := range f.Path {
			switch s := step.(type) {
			case string:
				path = append(path, ast.PathName(s))
			case int:
				path = append(path, ast.PathIndex(s))
			}
		}
		if why := f.Error(); !logged[why] {
			p.logAt(ctx, slog.LevelWarn, f, path)
			logged[why] = true
		}
		g := &gqlerror.Error{Message: f.Message, Path: path, Extensions: map[string]any{}}
		maps.Copy(g.Extensions, f.Details)
		g.Extensions["code"] = f.Kind
		if pos := of.positionOf(f.Path); pos != nil {
			g.Locations = []gqlerror.Location{{Line: pos.Line, Column: pos.Column}}
		}
		list = append(list, g)
	}
	return list
}

// positionOf is where a document asks first for the field at a path below a part.
func (p *part) positionOf(path []any) *ast.Position {
	at, sets := p.field.Position, p.sets
	for _, step := range path {
		key, ok := step.(string)
		if !ok {
			continue
		}
		fields := inSets(sets, key)
		if len(fields) == 0 {
			return nil // cannot be: the answer has what was asked for
		}
		at, sets = fields[0].Position, nil
		for _, f := range fields {
			sets = append(sets, f.SelectionSet)
		}
	}
	return at
}

// unexpected is the fault that an error of no kind is: the request's end, or our mistake.
func (p *presenter) unexpected(ctx context.Context, err error) *fault.Error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, err, "the request took longer than limits.timeout allows")
	case ctx.Err() != nil:
		return fault.Wrap(fault.Timeout, err, "the client gave the request up")
	}
	return fault.Wrap(fault.Internal, err, "internal error")
}

// fault is f as a client sees it, at the place of g where one is known.
func (p *presenter) fault(ctx context.Context, f *fault.Error, g *gqlerror.Error) *gqlerror.Error {
	out := &gqlerror.Error{Message: f.Message, Extensions: make(map[string]any, len(f.Details)+2)}
	if g != nil {
		out.Path, out.Locations = g.Path, g.Locations
	}
	maps.Copy(out.Extensions, f.Details)
	out.Extensions["code"] = f.Kind
	if p.rules && len(f.Rules) > 0 {
		out.Extensions["rule"] = p.ruleOf(f)
	}
	p.place(out, f.Path)
	p.logFault(ctx, f, out.Path)
	if f.Kind == fault.Internal {
		out.Message = "internal error"
		out.Extensions = map[string]any{"code": f.Kind, "requestId": requestOf(ctx).id}
	}
	return out
}

// ruleOf is which rule refused, or which of some.
func (p *presenter) ruleOf(f *fault.Error) string {
	texts := make([]string, len(f.Rules))
	for i, r := range f.Rules {
		texts[i] = r.In(p.folder)
	}
	return strings.Join(texts, ", or ")
}

// place says where in the field's arguments a fault lies. A fault of a field that is not known
// otherwise has the field's response key before that.
func (p *presenter) place(out *gqlerror.Error, path []any) {
	if len(path) == 0 {
		return
	}
	if key, ok := path[0].(string); ok && len(out.Path) == 0 {
		out.Path, path = ast.Path{ast.PathName(key)}, path[1:]
	}
	if len(path) > 0 {
		out.Extensions["input"] = path
	}
}

// logFault writes down what a client is not told. What clients do wrong is theirs to log.
func (p *presenter) logFault(ctx context.Context, f *fault.Error, path ast.Path) {
	level := slog.LevelDebug
	switch f.Kind {
	case fault.Internal:
		level = slog.LevelError
	case fault.Unavailable, fault.Timeout:
		level = slog.LevelWarn
	}
	if f.Cause == nil && level == slog.LevelDebug || errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	p.logAt(ctx, level, f, path)
}

func (p *presenter) logAt(ctx context.Context, level slog.Level, f *fault.Error, path ast.Path) {
	p.log.Log(ctx, level, "graphql: "+f.Message, "code", string(f.Kind), "cause", f.Cause,
		"path", path.String(), "request", requestOf(ctx).id)
}

// ofDocument is whether gqlparser found g in the document or its variables.
func ofDocument(g *gqlerror.Error) bool {
	code := g.Extensions["code"]
	return code == errcode.ParseFailed || code == errcode.ValidationFailed
}

// didYouMean is where gqlparser begins to suggest.
const didYouMean = " Did you mean "

// written is an error whose text is for the client: of gqlparser, or of a resolver.
func (p *presenter) written(g *gqlerror.Error) *gqlerror.Error {
	if _, done := g.Extensions["code"].(fault.Kind); done {
		return g
	}
	out := &gqlerror.Error{Message: brief(g.Message), Path: g.Path, Locations: g.Locations, Extensions: map[string]any{}}
	for name, v := range g.Extensions {
		if name != "file" {
			out.Extensions[name] = v
		}
	}
	if out.Extensions["code"] == nil || ofDocument(g) {
		out.Extensions["code"] = fault.Invalid
	}
	if ofDocument(g) {
		p.tidy(out)
	}
	return out
}

// brief keeps a message from repeating a whole document.
func brief(message string) string {
	const enough = 500
	if len(message) <= enough {
		return message
	}
	return strings.ToValidUTF8(message[:enough], "") + "…"
}

// tidy makes an error of gqlparser speak the API's language.
func (p *presenter) tidy(g *gqlerror.Error) {
	if !p.suggestions {
		g.Message, _, _ = strings.Cut(g.Message, didYouMean)
	}
	if len(g.Path) > 1 && g.Path[0] == ast.PathName("variable") {
		// A path is of the answer; this one leads into the variables.
		g.Message, g.Path = fmt.Sprintf("variable $%s: %s", g.Path[1:].String(), g.Message), nil
	}
}

// panicked is the error of a panic; it is a graphql.RecoverFunc.
func panicked(_ context.Context, cause any) error {
	return fault.Wrap(fault.Internal, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()), "internal error")
}

// unknownOperation says which operations there are when the one that is asked for is not.
func unknownOperation(opCtx *graphql.OperationContext) error {
	var names []string
	for _, o := range opCtx.Doc.Operations {
		names = append(names, o.Name)
	}
	if opCtx.OperationName == "" {
		return fault.New(fault.Invalid, "the document has %d operations (%s): say in operationName which one to run",
			len(names), strings.Join(names, ", "))
	}
	if strings.Join(names, "") == "" {
		return fault.New(fault.Invalid, "the document's only operation has no name, so operationName cannot be %q; leave it out", opCtx.OperationName)
	}
	return fault.New(fault.Invalid, "the document has no operation %q, but %s",
		opCtx.OperationName, strings.Join(names, ", "))
}
