package migrate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/schema"
)

// documents migrates MongoDB: collections, their validators and indexes, and what is in the
// documents. What holds a document's fields together is the validator of its collection, so
// that is what stands for the columns of a table.
//
// Collections, indexes and validators cannot be changed in a transaction. Every command is such
// that it can be sent again, and the ledger says what was there before until all is done: an
// Apply that was interrupted is finished by the next.
type documents struct{ Database }

// documentGoal is a database of documents as the schema wants it.
type documentGoal struct {
	types       []*schema.Type
	collections []generator.Collection
	sources     []schema.Source
}

func (m documents) goal(want *schema.Schema) (documentGoal, error) {
	g := documentGoal{sources: want.Sources}
	for _, t := range want.Types {
		if t.DB == m.Name {
			g.types = append(g.types, t)
		}
	}
	var err error
	g.collections, err = generator.Collections(g.types)
	return g, err
}

func (g documentGoal) collection(name string) *generator.Collection {
	for i := range g.collections {
		if g.collections[i].Name == name {
			return &g.collections[i]
		}
	}
	return nil
}

func (m documents) make(ctx context.Context, want *schema.Schema, o Options) (Plan, error) {
	g, err := m.goal(want)
	if err != nil {
		return Plan{Database: m.Name}, err
	}
	return m.draft(ctx, g, o)
}

func (m documents) apply(ctx context.Context, want *schema.Schema, o Options) (Plan, error) {
	plan := Plan{Database: m.Name}
	g, err := m.goal(want)
	if err != nil {
		return plan, err
	}
	err = m.locked(ctx, func(ctx context.Context) error {
		if o.undo != nil {
			entries, err := m.status(ctx)
			if err == nil {
				err = o.undo.still(entries, m.Name)
			}
			if err != nil {
				return err
			}
		}
		if plan, err = m.draft(ctx, g, o); err != nil {
			return err
		}
		if err := plan.Refused(o.AllowDestroy); err != nil {
			return err
		}
		if plan.Empty() && !plan.noteworthy() && plan.Undoes == nil {
			return nil
		}
		return m.noted(ctx, plan, g, o.Version, func() error { return m.run(ctx, plan, g) })
	})
	return plan, err
}

// run sends the commands, and looks at what has become of the documents.
func (m documents) run(ctx context.Context, p Plan, g documentGoal) error {
	for _, step := range p.Steps {
		for i, command := range step.commands {
			if err := m.send(ctx, command); err != nil {
				return fault.Wrap(fault.Conflict, err, "migrate database %s: %s: this command failed, and what was done before it stays done: %s", p.Database, step.Object, step.Statements[i])
			}
		}
	}
	return m.look(ctx, p, g)
}

// look looks whether documents came in between that the data checks have not seen.
func (m documents) look(ctx context.Context, p Plan, g documentGoal) error {
	for _, c := range g.collections {
		if !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Object == c.Name }) {
			continue
		}
		required, properties := c.Rules()
		n, err := m.Mongo.Collection(c.Name).CountDocuments(ctx, bson.D{{Key: "$nor", Value: bson.A{generator.Validator(required, properties)}}})
		if err != nil {
			return fmt.Errorf("look at the documents of %s: %w", c.Name, err)
		}
		if n > 0 {
			return fault.New(fault.Conflict, "migrate database %s: %s of %s came in meanwhile that %s not what the schema says; correct %s and migrate again",
				p.Database, count(int(n), "document"), c.Name, verb(int(n), "is", "are"), verb(int(n), "it", "them"))
		}
	}
	return nil
}

// send sends one command. Collections are renamed by the administration's database.
func (m documents) send(ctx context.Context, command bson.D) error {
	db := m.Mongo
	if command[0].Key == "renameCollection" {
		db = m.Mongo.Client().Database("admin")
	}
	return db.RunCommand(ctx, command).Err()
}

// commandText is a command as people read it.
func commandText(command bson.D) string {
	text, err := bson.MarshalExtJSON(command, false, false)
	if err != nil {
		return fmt.Sprintf("a command that cannot be shown: %v", err)
	}
	return string(text)
}

// does adds commands to what a step does.
func (s *Step) does(commands ...bson.D) {
	for _, c := range commands {
		s.commands, s.Statements = append(s.commands, c), append(s.Statements, commandText(c))
	}
}

func (m documents) fingerprint(want *schema.Schema) (string, error) {
	g, err := m.goal(want)
	return g.fingerprint(), err
}

// fingerprint covers validators and indexes, what fields hold, the defaults that documents
// are filled with, and the renames.
func (g documentGoal) fingerprint() string {
	var b strings.Builder
	for _, c := range g.collections {
		b.WriteString(commandText(createCollection(c)) + commandText(createIndexes(c.Name, c.Indexes)))
		fmt.Fprintf(&b, "%s %q\n", c.Type.Name, c.Type.Renamed)
		for _, f := range c.Fields {
			fmt.Fprintf(&b, "  %s %s %s %q %v\n", f.Name, f.Column, documentKind(f.Field), fieldsBefore(f.Field), f.Fill)
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// documentKind is what a field holds, as the ledger notes it of documents: kindOf, and whether
// there is always something.
func documentKind(f *schema.Field) string {
	if f.NonNull {
		return kindOf(f) + "!"
	}
	return kindOf(f)
}

// documentState is a database as it is.
type documentState struct {
	record      record
	collections map[string]*collection // by the names of the goal, once renames are followed
	foreign     []string
	last        memory // of the last migration that ended
	carried     memory // of one after it that did not
	unfinished  bool
}

// collection is one that is there.
type collection struct {
	name      string // in the database
	view      bool
	validator bson.D
	level     string // of validation: strict, moderate or off
	action    string // of validation: error or warn
	indexes   []generator.DocumentIndex
	documents int64
}

func (m documents) inspect(ctx context.Context, g documentGoal) (documentState, error) {
	s := documentState{collections: map[string]*collection{}}
	var err error
	if s.record, err = m.lastRecord(ctx); err != nil {
		return s, err
	}
	if err := m.remember(ctx, &s); err != nil {
		return s, err
	}
	found, err := m.Mongo.ListCollections(ctx, bson.D{})
	if err != nil {
		return s, fmt.Errorf("list the collections: %w", err)
	}
	var infos []struct {
		Name    string
		Type    string
		Options struct {
			Validator        bson.D
			ValidationLevel  string `bson:"validationLevel"`
			ValidationAction string `bson:"validationAction"`
		}
	}
	if err := found.All(ctx, &infos); err != nil {
		return s, fmt.Errorf("list the collections: %w", err)
	}
	wanted := documentNames(g.types, s.record)
	for _, i := range infos {
		_, ours := s.record.Tables[i.Name]
		switch {
		case ownTable(i.Name) || strings.HasPrefix(i.Name, "system."):
			continue
		case !ours && !wanted[i.Name]:
			s.foreign = append(s.foreign, i.Name)
			continue
		}
		c := &collection{
			name: i.Name, view: i.Type == "view", validator: i.Options.Validator,
			level: cmp.Or(i.Options.ValidationLevel, "strict"), action: cmp.Or(i.Options.ValidationAction, "error"),
		}
		s.collections[i.Name] = c
		if c.view {
			continue
		}
		if err := m.inspectInside(ctx, c); err != nil {
			return s, fmt.Errorf("inspect the collection %s: %w", i.Name, err)
		}
	}
	slices.Sort(s.foreign)
	return s, nil
}

func documentNames(types []*schema.Type, r record) map[string]bool {
	names := map[string]bool{}
	for _, t := range types {
		names[t.Table] = true
		for _, was := range tablesBefore(r, t) {
			names[was] = true
		}
	}
	return names
}

func (m documents) inspectInside(ctx context.Context, c *collection) error {
	at := m.Mongo.Collection(c.name)
	found, err := at.Indexes().List(ctx)
	if err != nil {
		return err
	}
	var indexes []struct {
		Name                    string
		Key                     bson.D
		Unique                  bool
		PartialFilterExpression bson.D `bson:"partialFilterExpression"`
	}
	if err := found.All(ctx, &indexes); err != nil {
		return err
	}
	for _, i := range indexes {
		if i.Name != "_id_" {
			c.indexes = append(c.indexes, generator.DocumentIndex{Name: i.Name, Keys: i.Key, Unique: i.Unique, Partial: i.PartialFilterExpression})
		}
	}
	c.documents, err = at.CountDocuments(ctx, bson.D{})
	return err
}

// strict is whether the validator refuses all that it does not like.
func (c *collection) strict() bool { return c.level == "strict" && c.action == "error" }

func (c *collection) index(name string) (generator.DocumentIndex, bool) {
	for _, i := range c.indexes {
		if i.Name == name {
			return i, true
		}
	}
	return generator.DocumentIndex{}, false
}

// sameIndex is whether two indexes hold the same, whatever they are called.
func sameIndex(a, b generator.DocumentIndex) bool {
	return a.Unique == b.Unique && sameDocument(keyOrder(a.Keys), keyOrder(b.Keys)) && sameDocument(a.Partial, b.Partial)
}

// keyOrder is the keys of an index with numbers of one type: what was written by hand may hold
// doubles.
func keyOrder(keys bson.D) bson.D {
	same := make(bson.D, len(keys))
	for i, k := range keys {
		same[i] = bson.E{Key: k.Key, Value: fmt.Sprint(k.Value)}
	}
	return same
}

func sameDocument(a, b bson.D) bool {
	return len(a) == 0 && len(b) == 0 || commandText(a) == commandText(b)
}

// property is what a validator of ours says of the values in a place.
func (c *collection) property(path string) (bson.D, bool) {
	_, properties := c.rules()
	return lookup(properties, path)
}

// rules are those of the validator, as far as it is like ours.
func (c *collection) rules() (required []string, properties bson.D) {
	all, _ := lookup(c.validator, "$jsonSchema")
	properties, _ = lookup(all, "properties")
	for _, e := range all {
		if names, ok := e.Value.(bson.A); ok && e.Key == "required" {
			for _, n := range names {
				required = append(required, fmt.Sprint(n))
			}
		}
	}
	return required, properties
}

func lookup(d bson.D, key string) (bson.D, bool) {
	for _, e := range d {
		if e.Key == key {
			inner, ok := e.Value.(bson.D)
			return inner, ok
		}
	}
	return nil, false
}

func createCollection(c generator.Collection) bson.D {
	required, properties := c.Rules()
	return bson.D{{Key: "create", Value: c.Name}, {Key: "validator", Value: generator.Validator(required, properties)}}
}

func createIndexes(name string, indexes []generator.DocumentIndex) bson.D {
	list := bson.A{}
	for _, i := range indexes {
		index := bson.D{{Key: "key", Value: i.Keys}, {Key: "name", Value: i.Name}}
		if i.Unique {
			index = append(index, bson.E{Key: "unique", Value: true})
		}
		if len(i.Partial) > 0 {
			index = append(index, bson.E{Key: "partialFilterExpression", Value: i.Partial})
		}
		list = append(list, index)
	}
	return bson.D{{Key: "createIndexes", Value: name}, {Key: "indexes", Value: list}}
}

func dropIndex(name, index string) bson.D {
	return bson.D{{Key: "dropIndexes", Value: name}, {Key: "index", Value: index}}
}

func (m documents) untouched(ctx context.Context, s *schema.Schema) (bool, error) {
	none := func(collection string, filter bson.D) (bool, error) {
		err := m.Mongo.Collection(collection).FindOne(ctx, filter, options.FindOne().SetProjection(bson.D{{Key: "_id", Value: 1}})).Err()
		if errors.Is(err, mongo.ErrNoDocuments) {
			return true, nil
		}
		return false, err
	}
	untouched, err := none(ledger, bson.D{{Key: "kind", Value: seeded}})
	for _, t := range s.Types {
		if err == nil && untouched && t.DB == m.Name && t.Kind == schema.Table {
			untouched, err = none(t.Table, bson.D{})
		}
	}
	return untouched, err
}
