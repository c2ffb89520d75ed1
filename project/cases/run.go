package cases

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"spacecloud/auth"
	"spacecloud/graph"
)

// Run runs the cases of a file, each on its own rows. The error is one of the file as a whole: its
// schema, its rows.
func (f *File) Run(ctx context.Context, o Options) (results []Result, err error) {
	folder, err := os.MkdirTemp("", "rules-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	w, err := newWorld(ctx, f, o, folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for _, q := range f.cases {
		problem, err := w.run(ctx, q)
		if err != nil {
			return nil, err
		}
		results = append(results, Result{q.name, q.pos, strings.Join(problem, "\n")})
	}
	return results, nil
}

// run asks a question, and what is asked then while all is well.
func (w *world) run(ctx context.Context, q *question) ([]string, error) {
	if err := w.anew(ctx); err != nil {
		return nil, err
	}
	for at := q; at != nil; at = at.then {
		problem, err := w.ask(ctx, at)
		if err != nil {
			return nil, err
		}
		if len(problem) > 0 && at != q {
			problem[0] = fmt.Sprintf("then (line %d): %s", at.pos.Line, problem[0])
		}
		if len(problem) > 0 {
			return problem, nil
		}
	}
	return nil, nil
}

// answer is what came.
type answer struct {
	Data   any           `json:"data"`
	Errors gqlerror.List `json:"errors"`
}

// ask asks one question and tells what is wrong with the answer.
func (w *world) ask(ctx context.Context, q *question) ([]string, error) {
	caller := &auth.Caller{Now: time.Now(), Claims: map[string]any{}}
	if q.claims != nil {
		claims, err := decoded(q.claims)
		if err != nil {
			return nil, err
		}
		caller = auth.Claimed(claims, w.options.Claims, time.Now())
	}
	w.changed = w.changed || changes(q.request)
	body, err := w.door.Ask(auth.With(ctx, caller), graph.Request{Query: q.request, Variables: q.variables})
	if err != nil {
		return nil, err
	}
	var came answer
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&came); err != nil {
		return nil, fmt.Errorf("the answer to %s: %w", q.name, err)
	}
	return q.problems(came), nil
}

// decoded are claims as a token has them: with numbers as encoding/json decodes them.
func decoded(claims map[string]any) (map[string]any, error) {
	text, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(text, &out)
}

// changes is whether a request may change rows.
func changes(request string) bool {
	doc, err := parser.ParseQuery(&ast.Source{Input: request})
	if err != nil {
		return false // nobody runs what cannot be read
	}
	for _, o := range doc.Operations {
		if o.Operation == ast.Mutation {
			return true
		}
	}
	return false
}

// problems are what is wrong with an answer.
func (q *question) problems(came answer) []string {
	var lines []string
	switch {
	case q.refused != "" && !q.isRefused(came.Errors):
		lines = append(lines, "expected "+refusal(string(q.refused), q.at)+", came "+cameOf(came))
	case q.refused == "" && len(came.Errors) > 0:
		return []string{"expected " + shown(q.data) + ", came " + refusals(came.Errors)}
	}
	if q.wantsData {
		lines = append(lines, differences("data", q.data, came.Data)...)
	}
	return lines
}

func (q *question) isRefused(errs gqlerror.List) bool {
	for _, e := range errs {
		if codeOf(e) == string(q.refused) && (q.at == "" || e.Path.String() == q.at) {
			return true
		}
	}
	return false
}

func codeOf(e *gqlerror.Error) string {
	code, _ := e.Extensions["code"].(string)
	return code
}

func refusal(code, at string) string {
	if at == "" {
		return code
	}
	return code + " at " + at
}

// cameOf is an answer in a line.
func cameOf(a answer) string {
	if len(a.Errors) > 0 {
		return refusals(a.Errors)
	}
	return shown(a.Data)
}

// refusals are errors in a line: the code, the path, the words, and the rule where one is named.
func refusals(errs gqlerror.List) string {
	texts := make([]string, len(errs))
	for i, e := range errs {
		texts[i] = refusal(codeOf(e), e.Path.String()) + " (" + e.Message + ")"
		if rule, ok := e.Extensions["rule"].(string); ok {
			texts[i] = strings.TrimSuffix(texts[i], ")") + "; " + rule + ")"
		}
	}
	return strings.Join(texts, ", ")
}
