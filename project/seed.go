package project

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/graph"
	"spacecloud/migrate"
	"spacecloud/schema"
)

// seedFile holds the first rows, as one mutation.
const seedFile = "seed.graphql"

// seedLimits are those of the operator's own file, which a client's would not fit.
var seedLimits = graph.Limits{Depth: 100, Complexity: 1 << 30, Aliases: 1 << 20, Tokens: 1 << 24, Body: 256 << 20, Timeout: 5 * time.Minute}

// Seed runs seed.graphql as the system, whom no rule restrains, once: into databases that no
// row was ever in. It says how many changes it made, 0 where there was nothing to do.
func (p *Project) Seed(ctx context.Context) (changes int, err error) {
	file := filepath.Join(p.Settings.Schema, seedFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, fault.New(fault.Invalid, "the seed %s cannot be read: %v", file, cause(err))
	}
	targets, err := p.Databases()
	if err != nil {
		return 0, err
	}
	b := p.now.Load()
	for _, db := range targets {
		if untouched, err := migrate.Untouched(ctx, db, b.schema); err != nil || !untouched {
			return 0, err
		}
	}
	operation, err := seedOperation(file, string(text))
	if err != nil {
		return 0, err
	}
	if err := p.plant(ctx, b, file, string(text), operation); err != nil {
		return 0, err
	}
	for _, db := range targets {
		if err := migrate.Seeded(ctx, db, p.Version); err != nil {
			return 0, err
		}
	}
	return len(operation.SelectionSet), nil
}

// seedOperation is the one mutation of the file. One is one transaction: a seed that fails
// leaves nothing, and is run again when it is corrected.
func seedOperation(file, text string) (*ast.OperationDefinition, error) {
	doc, err := parser.ParseQuery(&ast.Source{Name: file, Input: text})
	if err != nil {
		var syntax *gqlerror.Error
		if errors.As(err, &syntax) && len(syntax.Locations) > 0 {
			return nil, problemAt(file, syntax.Locations[0], "syntax: "+syntax.Message)
		}
		return nil, err
	}
	if len(doc.Operations) != 1 || doc.Operations[0].Operation != ast.Mutation {
		return nil, problemAt(file, gqlerror.Location{Line: 1, Column: 1},
			fmt.Sprintf("the seed has to be one mutation { … }, which is done whole or not at all; this has %d operations", len(doc.Operations)))
	}
	return doc.Operations[0], nil
}

// plant sends the mutation through the door that clients use, with limits of its own.
func (p *Project) plant(ctx context.Context, b *backend, file, text string, operation *ast.OperationDefinition) error {
	door, err := p.door(b, seedLimits, nil, nil)
	if err != nil {
		return err
	}
	body, err := door.Ask(auth.With(ctx, auth.System(time.Now())), graph.Request{Query: text})
	if err != nil {
		return err
	}
	var answer struct {
		Errors gqlerror.List `json:"errors"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the answer to the seed: %w", err)
	}
	return seedProblems(file, operation, answer.Errors)
}

// seedProblems are the errors of the answer where they stand in the file.
func seedProblems(file string, operation *ast.OperationDefinition, errs gqlerror.List) error {
	var problems schema.Problems
	for _, e := range errs {
		at := gqlerror.Location{Line: operation.Position.Line, Column: operation.Position.Column}
		message := e.Message
		if len(e.Locations) > 0 {
			at = e.Locations[0]
		}
		if input, ok := e.Extensions["input"]; ok {
			message = fmt.Sprintf("%v: %s", input, message)
		}
		if f := fieldOf(operation, e.Path); f != nil {
			if len(e.Locations) == 0 {
				at = gqlerror.Location{Line: f.Position.Line, Column: f.Position.Column}
			}
			message = f.Name + ": " + message
		}
		problems = append(problems, problemAt(file, at, message)...)
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// fieldOf is the field of the operation that a path begins with.
func fieldOf(operation *ast.OperationDefinition, path ast.Path) *ast.Field {
	if len(path) == 0 {
		return nil
	}
	for _, s := range operation.SelectionSet {
		if f, ok := s.(*ast.Field); ok && path[0] == ast.PathName(f.Alias) {
			return f
		}
	}
	return nil
}

func problemAt(file string, at gqlerror.Location, message string) schema.Problems {
	return schema.Problems{{Pos: schema.Pos{File: filepath.ToSlash(file), Line: at.Line, Column: at.Column}, Message: message}}
}
