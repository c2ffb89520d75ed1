package migrate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"spacecloud/generator"
	"spacecloud/schema"
)

// documentDraft is a plan for a database of documents in the making. Its first error ends it.
type documentDraft struct {
	documents

	ctx      context.Context //nolint:containedctx // of the one call that it lives for
	want     documentGoal
	have     documentState
	policy   Policy
	undo     *undoing
	now      time.Time
	renames  map[string][]renaming        // of fields, by collection
	wasField map[string]map[string]string // what fields are called in the documents, by collection and new name
	plan     *Plan
	err      error
}

func (m documents) draft(ctx context.Context, g documentGoal, o Options) (Plan, error) {
	plan := Plan{Database: m.Name, Product: m.Product}
	plan.finger = g.fingerprint()
	have, err := m.inspect(ctx, g)
	if err != nil {
		return plan, fmt.Errorf("database %s: %w", m.Name, err)
	}
	plan.Foreign = have.foreign
	plan.aims(g.sources, o)
	plan.Unfinished, plan.carried = have.unfinished, have.carried
	if !have.unfinished {
		plan.Drift = have.last.Shape.changed(have.shape(have.record))
	}
	d := &documentDraft{
		documents: m, ctx: ctx, want: g, have: have, policy: o.Policy, undo: o.undo, now: time.Now(),
		renames: map[string][]renaming{}, wasField: map[string]map[string]string{}, plan: &plan,
	}
	d.make()
	if d.err != nil {
		return plan, fmt.Errorf("plan the migration of database %s: %w", m.Name, d.err)
	}
	plan.remedies(d.was)
	return plan, nil
}

func (d *documentDraft) make() {
	d.plan.made = newRecord()
	d.follow()
	for _, c := range d.want.collections {
		have, there := d.have.collections[c.Name]
		switch {
		case !there:
			d.create(c)
		case have.view:
			change := Change{Comment: "create collection " + c.Name, lacks: true}
			d.add(Step{Object: c.Name, Changes: []Change{change.impossible("a view of that name is there; drop it, or choose another name with @table(name: …)")}})
		default:
			d.change(have, c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.have.collections)) {
		if d.want.collection(name) == nil {
			d.drop(name, d.have.collections[name])
		}
	}
	d.plan.grown = !d.plan.made.equal(d.have.record)
	d.plan.meanwhile = d.have.record.during(d.plan.made, d.was)
}

func (d *documentDraft) add(s Step) { d.plan.Steps = append(d.plan.Steps, s) }

func (d *documentDraft) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// was is the name in the database of a collection of the goal.
func (d *documentDraft) was(name string) string {
	if c, there := d.have.collections[name]; there {
		return c.name
	}
	return name
}

// made is our record of a collection of the goal, false if there is none.
func (d *documentDraft) made(name string) (madeTable, bool) {
	made, known := d.have.record.Tables[d.was(name)]
	return made, known
}

func (d *documentDraft) follow() {
	var done []renaming
	if d.undo == nil {
		done = renameTypes(d.have.record, d.want.types, d.renameCollection)
	} else {
		done = d.undo.follow(d.renameCollection, func(string, string, string) bool { return false })
	}
	for _, r := range done {
		rename := func(from, to string) bson.D {
			return bson.D{{Key: "renameCollection", Value: d.Mongo.Name() + "." + from}, {Key: "to", Value: d.Mongo.Name() + "." + to}}
		}
		step := Step{Object: r.table, Changes: []Change{{Comment: "rename collection " + r.from + " to " + r.to, lacks: true}}, Reverse: []string{commandText(rename(r.to, r.from))}}
		step.does(rename(r.from, r.to))
		d.add(step)
	}
	d.plan.renames = done
	for _, t := range d.want.types {
		if c, there := d.have.collections[t.Table]; there && !c.view {
			d.wasField[t.Table] = map[string]string{}
			d.renames[t.Table] = d.followFields(c, t)
			d.plan.renames = append(d.plan.renames, d.renames[t.Table]...)
		}
	}
}

func (d *documentDraft) followFields(c *collection, t *schema.Type) []renaming {
	if d.undo != nil {
		return d.undo.follow(func(string, string) bool { return false }, func(table, from, to string) bool {
			return table == t.Table && d.renameField(c, table, from, to)
		})
	}
	made, _ := d.made(t.Table)
	return renameFields(made, t, func(from, to string) bool { return d.renameField(c, t.Table, from, to) })
}

func (d *documentDraft) renameCollection(from, to string) bool {
	c, there := d.have.collections[from]
	if _, taken := d.have.collections[to]; !there || taken || slices.Contains(d.have.foreign, to) {
		return false
	}
	delete(d.have.collections, from)
	d.have.collections[to] = c
	return true
}

// renameField notes a rename whose old name is there and whose new one is not.
func (d *documentDraft) renameField(c *collection, table, from, to string) bool {
	was := d.wasField[table]
	if _, done := was[to]; done || !d.holds(c, table, from) || d.holds(c, table, to) {
		return false
	}
	was[to] = d.field(table, from)
	was[from] = "" // which is free now
	return true
}

// holds is whether a field is there: the ledger knows, or of a collection that we did not
// make its documents.
func (d *documentDraft) holds(c *collection, table, field string) bool {
	was, renamed := d.wasField[table][field]
	if renamed {
		return was != ""
	}
	if made, known := d.made(table); known {
		_, there := made.Columns[field]
		return there
	}
	return d.count(c, bson.D{{Key: field, Value: bson.D{{Key: "$exists", Value: true}}}}) > 0
}

// field is the name in the database of a field of the goal, "" for one that is not there.
func (d *documentDraft) field(table, name string) string {
	if was, renamed := d.wasField[table][name]; renamed {
		return was
	}
	return name
}

func (d *documentDraft) create(c generator.Collection) {
	step := Step{Object: c.Name, Changes: []Change{{Comment: "create collection " + c.Name, lacks: true}}, Reverse: []string{commandText(bson.D{{Key: "drop", Value: c.Name}})}}
	step.does(createCollection(c))
	if len(c.Indexes) > 0 {
		step.does(createIndexes(c.Name, c.Indexes))
	}
	d.add(step)
	made := madeTable{Type: c.Type.Name, Made: true, Columns: map[string]madeColumn{}}
	for _, f := range c.Fields {
		made.Columns[f.Column] = madeColumn{Field: f.Name, Kind: documentKind(f.Field), Made: true, Key: f.Path == "_id"}
	}
	for _, i := range c.Indexes {
		made.Indexes = append(made.Indexes, i.Name)
	}
	slices.Sort(made.Indexes)
	d.plan.made.Tables[c.Name] = made
}

func (d *documentDraft) drop(name string, c *collection) {
	served := slices.ContainsFunc(d.want.types, func(t *schema.Type) bool { return t.Table == name })
	if c.view || served {
		return
	}
	made, _ := d.made(name)
	switch {
	case !made.Made:
		d.plan.Foreign = append(d.plan.Foreign, name)
		return
	case !d.policy.drops(int(c.documents), d.undo.stood(name, "")):
		d.plan.made.Tables[name] = made
		d.plan.Kept = append(d.plan.Kept, fmt.Sprintf("collection %s with %s, which is no longer in the schema", name, count(int(c.documents), "document")))
		return
	}
	change := Change{Comment: "drop collection " + name, Check: "it holds no documents"}
	switch {
	case c.documents > 0:
		change = change.destroys("it holds %s", count(int(c.documents), "document")).loses("the %s of %s", count(int(c.documents), "document"), name)
	case d.policy == Exact:
		change = change.destroys("it holds no documents, but servers of an older version ask for it")
	}
	step := Step{Object: name, Changes: []Change{change}}
	step.does(bson.D{{Key: "drop", Value: name}})
	d.add(step)
}

// count counts the documents of a collection, as it is, that a filter finds.
func (d *documentDraft) count(c *collection, filter bson.D) int {
	n, err := d.Mongo.Collection(c.name).CountDocuments(d.ctx, filter)
	if err != nil {
		d.fail(fmt.Errorf("look at the documents of %s: %w", c.name, err))
	}
	return int(n)
}

// change plans what makes a collection that is there as it is wanted.
func (d *documentDraft) change(have *collection, want generator.Collection) {
	e := &documentEdit{documentDraft: d, have: have, want: want}
	e.made, e.known = d.made(want.Name)
	e.ours = e.made.Made
	e.next = madeTable{Type: want.Type.Name, Made: e.made.Made, Columns: map[string]madeColumn{}}
	e.fields()
	e.gone()
	e.validate()
	e.indexes()
	d.plan.made.Tables[want.Name] = e.next
	if len(e.changes) == 0 {
		return
	}
	d.add(e.step())
}

// documentEdit is the change of one collection.
type documentEdit struct {
	*documentDraft

	have  *collection
	want  generator.Collection
	made  madeTable
	known bool // the ledger knows the collection
	ours  bool // and says that we made it
	next  madeTable

	changes []Change
	sources []documentSource
	unset   []string // names in the documents, once renamed
	kept    bson.D   // properties of fields that stay, though the schema has them no more

	untie []generator.DocumentIndex // indexes to drop
	tie   []generator.DocumentIndex // and to make
	rules bson.D                    // the validator to set, empty for none
}

func (e *documentEdit) say(c Change) { e.changes = append(e.changes, c) }

func (e *documentEdit) fields() {
	for _, f := range e.want.Fields {
		was := e.field(e.want.Name, f.Column)
		made, had := e.made.Columns[was]
		s := documentSource{DocumentField: f, had: had, was: f.Path, from: strings.TrimSuffix(made.Kind, "!"), to: kindOf(f.Field), always: strings.HasSuffix(made.Kind, "!")}
		if f.Path == f.Column {
			s.was = was
		}
		e.judge(&s, made)
		e.sources = append(e.sources, s)
		e.next.Columns[f.Column] = madeColumn{Field: f.Name, Kind: documentKind(f.Field), Made: made.Made || !had && e.ours, Key: f.Path == "_id"}
	}
	for _, r := range e.renames[e.want.Name] {
		if e.made.Columns[r.from].Key {
			continue // _id is called _id
		}
		change := Change{Comment: "rename field " + r.table + "." + r.from + " to " + r.to, lacks: true}
		if n := e.find(bson.D{{Key: r.from, Value: present}, {Key: r.to, Value: present}}); n.rows > 0 {
			change = change.impossible("%s %s both; remove one of them first", n.documents(r.table), verb(n.rows, "holds", "hold"))
		}
		e.say(change)
	}
}

var present = bson.D{{Key: "$exists", Value: true}}

// gone are fields of ours that the schema has no more.
func (e *documentEdit) gone() {
	taken := map[string]bool{}
	for _, f := range e.want.Fields {
		taken[e.field(e.want.Name, f.Column)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(e.made.Columns)) {
		made := e.made.Columns[name]
		if taken[name] || !made.Made || made.Key { // a key is judged with what is the key now
			continue
		}
		values := e.count(e.have, bson.D{{Key: name, Value: bson.D{{Key: "$ne", Value: nil}}}})
		if !e.policy.drops(values, e.undo.stood(e.want.Name, name)) {
			e.keep(name, made, values)
			continue
		}
		change := Change{Comment: "drop field " + e.want.Name + "." + name, Check: "no document holds a value in it", part: "column " + name}
		switch {
		case values > 0:
			change = change.destroys("%s of %s %s a value in it", count(values, "document"), e.want.Name, verb(values, "holds", "hold")).
				loses("what %s of %s held in %s", count(values, "document"), e.want.Name, name)
		case e.policy == Exact:
			change = change.destroys("no document holds a value in it, but servers of an older version ask for it")
		}
		e.say(change)
		e.unset = append(e.unset, name)
	}
}

// keep lets a field stay, as one that may be null.
func (e *documentEdit) keep(name string, made madeColumn, values int) {
	e.plan.Kept = append(e.plan.Kept, fmt.Sprintf("field %s.%s with %s, which is no longer in the schema", e.want.Name, name, count(values, "value")))
	property, there := e.have.property(name)
	if there {
		e.kept = append(e.kept, bson.E{Key: name, Value: nullable(property)})
	}
	if required, _ := e.have.rules(); slices.Contains(required, name) {
		e.say(Change{Comment: "change field " + e.want.Name + "." + name + ": nullable", lacks: true})
	}
	made.Kind = strings.TrimSuffix(made.Kind, "!")
	e.next.Columns[name] = made
}

// nullable is a property that also takes null.
func nullable(property bson.D) bson.D {
	loose := slices.Clone(property)
	for i, rule := range loose {
		types, several := rule.Value.(bson.A)
		switch {
		case rule.Key == "enum" && several && !slices.Contains(types, nil):
			loose[i].Value = append(slices.Clone(types), nil)
		case rule.Key == "bsonType" && several && !slices.Contains(types, any("null")):
			loose[i].Value = append(slices.Clone(types), "null")
		case rule.Key == "bsonType" && !several:
			loose[i].Value = bson.A{rule.Value, "null"}
		}
	}
	return loose
}

func (e *documentEdit) indexes() {
	for _, i := range e.want.Indexes {
		have, there := e.have.index(i.Name)
		what := "add"
		if there && !sameIndex(have, i) {
			what = "change"
			e.untie = append(e.untie, have)
		}
		alike := slices.ContainsFunc(e.have.indexes, func(o generator.DocumentIndex) bool { return sameIndex(o, i) && !e.made.madeIndex(o.Name) })
		if there && what == "add" || !there && alike {
			if e.made.madeIndex(i.Name) {
				e.next.Indexes = append(e.next.Indexes, i.Name)
			}
			e.again(i)
			continue
		}
		e.tie, e.next.Indexes = append(e.tie, i), append(e.next.Indexes, i.Name)
		change := Change{Comment: what + " " + documentIndexName(e.want.Name, i), lacks: true, part: "index " + i.Name}
		if i.Unique && e.have.documents > 0 {
			change = e.unique(change, i)
		}
		e.say(change)
	}
	for _, i := range e.have.indexes {
		wanted := slices.ContainsFunc(e.want.Indexes, func(o generator.DocumentIndex) bool { return o.Name == i.Name })
		if !wanted && e.made.madeIndex(i.Name) {
			e.untie = append(e.untie, i)
			e.say(Change{Comment: "drop " + documentIndexName(e.want.Name, i)})
		}
	}
	slices.Sort(e.next.Indexes)
}

// again judges a unique index that stays, of values that change.
func (e *documentEdit) again(i generator.DocumentIndex) {
	converted := slices.ContainsFunc(e.sources, func(s documentSource) bool {
		_, within := valueOf(i.Keys, s.Path)
		return within && s.changes()
	})
	if !i.Unique || !converted {
		return
	}
	if change := e.unique(Change{Comment: "keep " + documentIndexName(e.want.Name, i)}, i); change.Verdict == Impossible {
		e.say(change)
	}
}

func valueOf(d bson.D, key string) (any, bool) {
	for _, e := range d {
		if e.Key == key {
			return e.Value, true
		}
	}
	return nil, false
}

func documentIndexName(collection string, i generator.DocumentIndex) string {
	names := make([]string, len(i.Keys))
	for n, k := range i.Keys {
		names[n] = k.Key
		if strings.HasPrefix(fmt.Sprint(k.Value), "-") {
			names[n] += " desc"
		}
	}
	kind := "index"
	if i.Unique {
		kind = "unique"
	}
	return fmt.Sprintf("%s on %s (%s)", kind, collection, strings.Join(names, ", "))
}

// validate gives a collection of ours the validator that the schema says. One that we did not
// make keeps its own: other programs may write there what the schema does not know.
func (e *documentEdit) validate() {
	if !e.ours {
		return
	}
	required, properties := e.want.Rules()
	rules := generator.Validator(required, append(properties, e.kept...))
	if e.have.strict() && sameRules(rules, e.have.validator) {
		return
	}
	e.rules = rules
	drifted := slices.ContainsFunc(e.plan.Drift, func(d Drift) bool { return d.Object == e.have.name && !strings.HasPrefix(d.part, "index ") })
	if len(e.changes) == 0 || drifted { // no field says why
		e.say(Change{Comment: "set the validator of " + e.want.Name, lacks: true, part: validator})
	}
}

// sameRules is whether two validators say the same, in whatever order.
func sameRules(a, b bson.D) bool {
	one, other := collection{validator: a}, collection{validator: b}
	if len(a) != len(b) {
		return false
	}
	required, properties := one.rules()
	names, fields := other.rules()
	slices.Sort(required)
	slices.Sort(names)
	byKey := func(x, y bson.E) int { return strings.Compare(x.Key, y.Key) }
	properties, fields = slices.Clone(properties), slices.Clone(fields)
	slices.SortFunc(properties, byKey)
	slices.SortFunc(fields, byKey)
	wanted, _ := lookup(a, "$jsonSchema")
	found, _ := lookup(b, "$jsonSchema")
	return slices.Equal(required, names) && sameDocument(properties, fields) && len(found) == len(wanted)
}

func (e *documentEdit) step() Step {
	step := Step{Object: e.want.Name, Changes: e.changes}
	name := e.want.Name
	var back []bson.D
	for _, i := range e.untie {
		step.does(dropIndex(name, i.Name))
		back = append(back, createIndexes(name, []generator.DocumentIndex{i}))
	}
	if e.rules != nil {
		step.does(setValidator(name, e.rules, "strict", "error"))
		back = append(back, setValidator(name, e.have.validator, e.have.level, e.have.action))
	}
	writes := false
	for _, r := range e.renames[name] {
		if !e.made.Columns[r.from].Key {
			step.does(renameField(name, r.from, r.to))
			back = append(back, renameField(name, r.to, r.from))
			writes = true
		}
	}
	update := e.update()
	if update != nil {
		step.does(update)
		writes = true
	}
	if writes && e.have.documents > 0 {
		step.Locks = fmt.Sprintf("each document that changes, while it is written: up to %s", count(int(e.have.documents), "document"))
	}
	if len(e.tie) > 0 {
		step.does(createIndexes(name, e.tie))
		if e.have.documents > 0 {
			step.Locks = strings.TrimPrefix(step.Locks+"; "+fmt.Sprintf("%s, for a moment at the beginning and the end of indexing %s", name, count(int(e.have.documents), "document")), "; ")
		}
		for _, i := range e.tie {
			back = append(back, dropIndex(name, i.Name))
		}
	}
	if update == nil {
		for _, c := range slices.Backward(back) {
			step.Reverse = append(step.Reverse, commandText(c))
		}
	}
	return step
}

func setValidator(name string, rules bson.D, level, action string) bson.D {
	if rules == nil {
		rules = bson.D{}
	}
	return bson.D{{Key: "collMod", Value: name}, {Key: "validator", Value: rules}, {Key: "validationLevel", Value: level}, {Key: "validationAction", Value: action}}
}

// renameField leaves documents alone that were renamed already, by a migration that was interrupted.
func renameField(name, from, to string) bson.D {
	return updateDocuments(name, bson.D{{Key: from, Value: present}}, bson.D{{Key: "$rename", Value: bson.D{{Key: from, Value: to}}}})
}

// updateDocuments changes documents past the validator: each is right only after the last command.
func updateDocuments(name string, filter bson.D, update any) bson.D {
	return bson.D{
		{Key: "update", Value: name},
		{Key: "updates", Value: bson.A{bson.D{{Key: "q", Value: filter}, {Key: "u", Value: update}, {Key: "multi", Value: true}}}},
		{Key: "bypassDocumentValidation", Value: true},
	}
}

// update is the one command that converts, fills and removes values; nil for nothing to do.
func (e *documentEdit) update() bson.D {
	var set bson.D
	var when bson.A
	for _, s := range e.sources {
		if expr, needed := s.assign(e.literal(s)); expr != nil {
			set = append(set, bson.E{Key: s.Path, Value: expr})
			when = append(when, needed...)
		}
	}
	pipeline := mongo.Pipeline{}
	if len(set) > 0 {
		pipeline = append(pipeline, bson.D{{Key: "$set", Value: set}})
	}
	for _, name := range e.unset {
		when = append(when, bson.D{{Key: name, Value: present}})
	}
	if len(e.unset) > 0 {
		pipeline = append(pipeline, bson.D{{Key: "$unset", Value: e.unset}})
	}
	if len(pipeline) == 0 || e.have.documents == 0 {
		return nil
	}
	return updateDocuments(e.want.Name, bson.D{{Key: "$or", Value: when}}, pipeline)
}
