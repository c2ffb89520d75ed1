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
	Made        string    `bson:"made,omitempty"` // a record in JSON
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
		entries = append(entries, Entry{At: e.At, Kind: e.Kind, Host: e.Host, Version: e.Version, Plan: e.Plan})
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

// noted does it between two notes in the ledger: what may be ours from now on, and what is
// once it is done.
func (m documents) noted(ctx context.Context, p Plan, version string, do func() error) error {
	made, err := json.Marshal(p.meanwhile)
	if err != nil {
		return err
	}
	id, err := m.add(ctx, documentEntry{Kind: begun, Version: version, Fingerprint: p.finger, Plan: p.String(), Statements: p.statements(), Made: string(made)})
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if made, err = json.Marshal(p.made); err != nil {
		return err
	}
	_, err = m.Mongo.Collection(ledger).UpdateByID(ctx, id, bson.D{{Key: "$set", Value: bson.D{{Key: "kind", Value: migrated}, {Key: "made", Value: string(made)}}}})
	return err
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
