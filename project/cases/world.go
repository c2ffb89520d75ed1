package cases

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/sqlite"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/migrate"
	"spacecloud/project"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
)

// world is the schema of a file, served over databases of its own. All of them are SQLite, whatever
// the settings say: rules mean the same on every kind.
type world struct {
	options Options
	schema  *schema.Schema
	set     *rules.Set
	api     *generator.API
	source  string // the folder of the schema

	folder  string // holds the folder of the rows, and one of the state
	changed bool   // since the state was new
	open    map[string]*database.DB
	rows    *resolvers.Resolvers
	door    *graph.Server
}

// The folders of the databases with the file's rows, and of a copy of them that requests are asked of.
const (
	rowsFolder = "rows"
	state      = "state"
)

func newWorld(ctx context.Context, f *File, o Options, folder string) (*world, error) {
	name := f.schema
	if name == "" {
		name = o.Schema
	}
	w := &world{options: o, folder: folder, source: name}
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		w.source = filepath.Dir(name)
	}
	var err error
	if w.schema, w.set, w.api, err = project.Compile(name); err != nil {
		return nil, err
	}
	err = w.serve(ctx, rowsFolder)
	if err == nil {
		err = w.migrate(ctx)
	}
	if err == nil {
		err = w.write(ctx, f.rows)
	}
	if err = errors.Join(err, w.close()); err != nil {
		return nil, err
	}
	w.changed = true // there is no state yet
	return w, nil
}

// serve opens the databases of a folder and serves the schema over them.
func (w *world) serve(ctx context.Context, folder string) error {
	w.open = map[string]*database.DB{}
	if err := os.MkdirAll(filepath.Join(w.folder, folder), 0o700); err != nil {
		return err
	}
	for _, name := range w.schema.Databases() {
		d, err := sqlite.Open(ctx, "sqlite:"+filepath.Join(w.folder, folder, name+".db"))
		if err != nil {
			return err
		}
		w.open[name] = database.New(name, d)
	}
	var err error
	if w.rows, err = resolvers.New(resolvers.Config{Schema: w.schema, Rules: w.set, Databases: w.open}); err != nil {
		return err
	}
	w.door, err = graph.New(graph.Options{
		API: w.api, Resolvers: w.rows, Limits: w.options.Limits, Introspection: true, Suggestions: true, Development: true, Folder: w.source,
		Log: slog.New(slog.DiscardHandler),
	})
	return err
}

func (w *world) close() error {
	var errs []error
	for _, db := range w.open {
		errs = append(errs, db.Close())
	}
	w.open = nil
	return errors.Join(errs...)
}

func (w *world) migrate(ctx context.Context) error {
	for _, name := range w.schema.Databases() {
		target, err := migrate.Target(name, w.open[name].Driver())
		if err != nil {
			return err
		}
		if _, err := migrate.Apply(ctx, target, w.schema, migrate.Options{}); err != nil {
			return err
		}
	}
	return nil
}

// anew serves the rows of the file as they were, if a request may have changed them.
func (w *world) anew(ctx context.Context) error {
	if !w.changed {
		return nil
	}
	if err := w.close(); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(w.folder, state)); err != nil {
		return err
	}
	w.changed = false
	if err := os.CopyFS(filepath.Join(w.folder, state), os.DirFS(filepath.Join(w.folder, rowsFolder))); err != nil {
		return err
	}
	return w.serve(ctx, state)
}

// write writes rows as the server itself, whom no rule restrains, in their order.
func (w *world) write(ctx context.Context, rows []row) error {
	var problems schema.Problems
	changes := make([]resolvers.Change, len(rows))
	for i, r := range rows {
		changes[i] = resolvers.Change{Name: strconv.Itoa(i), Verb: query.Create, Answer: resolvers.Answer{Tail: "null"}}
		var wrong schema.Problems
		changes[i].Type, changes[i].Docs, wrong = w.doc(r)
		problems = append(problems, wrong...)
	}
	if len(problems) > 0 {
		return problems
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := w.rows.Write(ctx, auth.System(time.Now()), changes, nil); err != nil {
		return misplaced(rows, err)
	}
	return nil
}

// misplaced is an error of rows where they stand in the file.
func misplaced(rows []row, err error) error {
	var problems schema.Problems
	for _, f := range fault.All(err) {
		if len(f.Path) == 0 || f.Kind == fault.Internal {
			return err
		}
		i, failed := strconv.Atoi(fmt.Sprint(f.Path[0]))
		if failed != nil {
			return err
		}
		problem := schema.Problem{Pos: rows[i].at(f.Path), Message: "a row of " + rows[i].table + ": " + f.Message}
		problems = append(problems, problem)
	}
	return problems
}

// at is where the value stands that a path ends with, or else the row.
func (r row) at(path []any) schema.Pos {
	for _, v := range r.values {
		if path[len(path)-1] == v.name {
			return v.pos
		}
	}
	if len(r.values) > 0 {
		return r.values[0].pos
	}
	return r.pos
}

// doc is a row as an insert takes it.
func (w *world) doc(r row) (*schema.Type, []resolvers.Doc, schema.Problems) {
	t := w.table(r.table)
	if t == nil {
		var names []string
		for _, t := range w.schema.Types {
			if t.Kind == schema.Table && !t.Owned {
				names = append(names, t.Plural)
			}
		}
		return nil, nil, schema.Problems{{Pos: r.pos, Message: "there is no table " + r.table + schema.DidYouMean(r.table, names)}}
	}
	var doc resolvers.Doc
	var problems schema.Problems
	for _, v := range r.values {
		field, err := fieldValue(t, v)
		if err != nil {
			problems = append(problems, schema.Problem{Pos: v.pos, Message: r.table + "." + v.name + ": " + err.Error()})
		}
		doc = append(doc, field)
	}
	return t, []resolvers.Doc{doc}, problems
}

func (w *world) table(plural string) *schema.Type {
	for _, t := range w.schema.Types {
		if t.Kind == schema.Table && !t.Owned && t.Plural == plural {
			return t
		}
	}
	return nil
}

// fieldValue is a value of a row. Of links only those have one whose join table is ours: the keys
// of the rows that they lead to.
func fieldValue(t *schema.Type, v value) (resolvers.FieldValue, error) {
	f := t.Field(v.name)
	if f == nil {
		var names []string
		for _, f := range t.Fields {
			names = append(names, f.Name)
		}
		return resolvers.FieldValue{}, errors.New("there is no such field" + schema.DidYouMean(v.name, names))
	}
	if !f.IsLink() {
		stored, err := f.Coerce(v.plain)
		return resolvers.FieldValue{Field: f, Value: stored}, err
	}
	if f.Link.Through == nil || !f.Link.Through.Owned || len(f.Link.Target.Primary) != 1 {
		return resolvers.FieldValue{}, errors.New("this is a link; write the column that holds its key")
	}
	keys, ok := v.plain.([]any)
	if !ok {
		return resolvers.FieldValue{}, errors.New("this link takes a list of keys of the rows that it leads to")
	}
	l := &resolvers.Linked{List: true}
	for _, key := range keys {
		stored, err := f.Link.Target.Primary[0].Coerce(key)
		if err != nil {
			return resolvers.FieldValue{}, err
		}
		l.Connect = append(l.Connect, resolvers.Key{Of: f.Link.Target.Primary, Values: []schema.Value{stored}})
	}
	return resolvers.FieldValue{Field: f, Link: l}, nil
}
