package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// begun is the kind of an entry whose migration was not finished, or is not yet.
const begun = "begun"

// documentEntry is an entry of the ledger as a document.
type documentEntry struct {
	ID          int64     `bson:"_id"`
	At          time.Time `bson:"at"`
	Kind        string    `bson:"kind"`
	Host        string    `bson:"host"`
	Version     string    `bson:"version"`
	Fingerprint string    `bson:"fingerprint"`
	Plan        string    `bson:"plan"`
	Statements  []string  `bson:"statements"`
	Undoes      int64     `bson:"undoes,omitempty"`
	State       string    `bson:"state,omitempty"` // a memory in JSON
	Made        string    `bson:"made,omitempty"`  // a record in JSON
}

func (m documents) status(ctx context.Context) ([]Entry, error) {
	found, err := m.Mongo.Collection(ledger).Find(ctx, bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, err
	}
	var all []documentEntry
	if err := found.All(ctx, &all); err != nil {
		return nil, fmt.Errorf("read the ledger %s: %w", ledger, err)
	}
	var entries []Entry
	for _, e := range all {
		entries = append(entries, Entry{ID: e.ID, At: e.At, Kind: e.Kind, Undoes: e.Undoes, Host: e.Host, Version: e.Version, Plan: e.Plan})
	}
	return entries, nil
}

// lastRecord is what the newest migration says that we made.
func (m documents) lastRecord(ctx context.Context) (record, error) {
	r := newRecord()
	var last documentEntry
	err := m.Mongo.Collection(ledger).FindOne(ctx, bson.D{{Key: "made", Value: bson.D{{Key: "$exists", Value: true}}}},
		options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})).Decode(&last)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(last.Made), &r)
	}
	if err != nil {
		return r, fmt.Errorf("read the ledger %s: %w", ledger, err)
	}
	return r, nil
}

// recall is what an entry says.
func (m documents) recall(ctx context.Context, id int64) (kept memory, made record, err error) {
	made = newRecord()
	var e documentEntry
	if err = m.Mongo.Collection(ledger).FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&e); err == nil {
		kept, err = e.memory()
	}
	if err == nil {
		err = json.Unmarshal([]byte(e.Made), &made)
	}
	if err != nil {
		return kept, made, fmt.Errorf("read the ledger %s: %w", ledger, err)
	}
	return kept, made, nil
}

func (e documentEntry) memory() (m memory, err error) {
	if e.State != "" {
		err = json.Unmarshal([]byte(e.State), &m)
	}
	return m, err
}

// remember finds the last migration that ended, and one that did not after it.
func (m documents) remember(ctx context.Context, s *documentState) error {
	for _, kinds := range []bson.A{{migrated, undone}, {migrated, undone, begun}} {
		var last documentEntry
		err := m.Mongo.Collection(ledger).FindOne(ctx, bson.D{{Key: "kind", Value: bson.D{{Key: "$in", Value: kinds}}}},
			options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})).Decode(&last)
		if errors.Is(err, mongo.ErrNoDocuments) {
			continue
		}
		kept, failed := last.memory()
		if err = errors.Join(err, failed); err != nil {
			return fmt.Errorf("read the ledger %s: %w", ledger, err)
		}
		if s.unfinished = last.Kind == begun; s.unfinished {
			s.carried = kept
		} else {
			s.last = kept
		}
	}
	return nil
}

// noted does it between two notes in the ledger: what may be ours from now on, and what is
// once it is done, with how the database is then.
func (m documents) noted(ctx context.Context, p Plan, g documentGoal, version string, do func() error) error {
	l := p.line(version)
	state := p.memory(p.Steps)
	e := documentEntry{Kind: begun, Undoes: l.undoes, Version: version, Fingerprint: l.finger, Plan: l.plan, Statements: l.statements}
	if err := e.keep(p.meanwhile, state); err != nil {
		return err
	}
	id, err := m.add(ctx, e)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	have, err := m.inspect(ctx, g)
	if err != nil {
		return err
	}
	state.Shape = have.shape(p.made)
	if err := e.keep(p.made, state); err != nil {
		return err
	}
	_, err = m.Mongo.Collection(ledger).UpdateByID(ctx, id, bson.D{{Key: "$set", Value: bson.D{
		{Key: "kind", Value: l.kind}, {Key: "made", Value: e.Made}, {Key: "state", Value: e.State},
	}}})
	return err
}

func (e *documentEntry) keep(made record, state memory) error {
	texts := map[*string]any{&e.Made: made, &e.State: state}
	for into, value := range texts {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		*into = string(text)
	}
	return nil
}

// add adds an entry, with the next number.
func (m documents) add(ctx context.Context, e documentEntry) (int64, error) {
	e.Host, e.At = hostname(), time.Now().UTC()
	for {
		var last documentEntry
		err := m.Mongo.Collection(ledger).FindOne(ctx, bson.D{}, options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})).Decode(&last)
		if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
			return 0, fmt.Errorf("read the ledger %s: %w", ledger, err)
		}
		e.ID = last.ID + 1
		_, err = m.Mongo.Collection(ledger).InsertOne(ctx, e)
		if !mongo.IsDuplicateKeyError(err) { // a seed takes no lock
			return e.ID, err
		}
	}
}

func (m documents) seeded(ctx context.Context, version string) error {
	_, err := m.add(ctx, documentEntry{Kind: seeded, Version: version, Plan: "seed.graphql", Statements: []string{}})
	return err
}

// during is what is ours while a plan is being done, or after it was interrupted: of what was
// there before, what it was; and all that the plan makes, since it may be there.
func (r record) during(next record, was func(table string) string) record {
	all := record{Tables: maps.Clone(r.Tables), Views: r.Views}
	for name, made := range next.Tables {
		before, there := r.Tables[was(name)]
		if !there {
			all.Tables[name] = made
			continue
		}
		before.Type = made.Type
		before.Indexes = slices.Compact(slices.Sorted(slices.Values(slices.Concat(before.Indexes, made.Indexes))))
		all.Tables[name] = before
	}
	return all
}
