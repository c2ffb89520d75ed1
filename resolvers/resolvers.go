// Package resolvers is the one way in to rows: narrow, check, plan, run. It is the only room
// that asks rules, and every door hands its queries and changes to it.
package resolvers

import (
	"context"
	"time"

	"spacecloud/database"
	"spacecloud/fault"
	"spacecloud/live"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Config is what a Resolvers stands on. All of it is required but Live and the limits.
type Config struct {
	Schema    *schema.Schema
	Rules     *rules.Set
	Databases map[string]*database.DB // by the name that @table calls them
	// Live is who waits for rows of the schema, and is told of what is written. Defaults to one of
	// its own.
	Live *live.Scope
	// Rows is the most rows that one list may ask for (limits.rows). Defaults to 1,000.
	Rows int
	// Keys is the most keys that one condition may take from another database (limits.keys).
	// Defaults to 10,000.
	Keys int
	// AnswerRows is the most rows of one answer, each as often as it stands in it. Defaults to
	// 100,000.
	AnswerRows int
	// AnswerBytes is the most bytes of one field's answer. Defaults to 64 MiB.
	AnswerBytes int
	// WriteRows is the most rows of one bulk write whose images are needed. Defaults to
	// 100,000.
	WriteRows int
}

func (c Config) withDefaults() Config {
	if c.Live == nil {
		c.Live = live.New(live.Config{}).Scope()
	}
	if c.Rows == 0 {
		c.Rows = 1_000
	}
	if c.Keys == 0 {
		c.Keys = 10_000
	}
	if c.AnswerRows == 0 {
		c.AnswerRows = 100_000
	}
	if c.AnswerBytes == 0 {
		c.AnswerBytes = 64 << 20
	}
	if c.WriteRows == 0 {
		c.WriteRows = 100_000
	}
	return c
}

// Resolvers answers finds and makes changes under the rules. It is immutable but for what it learns.
type Resolvers struct {
	Config
	reach    reach
	pointing map[*schema.Type][]*schema.Field // links by the type that their key points to
	goesWith map[*schema.Type][]string        // databases of what a delete takes along, beside the type's own
	several  bool                             // databases
}

// New checks that every database of the schema is there.
func New(c Config) (*Resolvers, error) {
	for _, name := range c.Schema.Databases() {
		if c.Databases[name] == nil {
			return nil, fault.New(fault.Invalid,
				"the schema puts types into database %q, which the configuration does not name; add databases.%s.url", name, name)
		}
	}
	links := pointing(c.Schema)
	return &Resolvers{
		Config: c.withDefaults(), pointing: links, goesWith: goesWith(c.Schema, links), several: len(c.Schema.Databases()) > 1,
		reach: reach{dbs: map[reached][]*database.DB{}},
	}, nil
}

// stamp is a time as a DateTime column holds it.
func stamp(t time.Time) schema.Value {
	return schema.Text(t.UTC().Format("2006-01-02T15:04:05.000000Z"))
}

// late is the error of a context that ended, as a fault.
func late(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Timeout, err, "the request took too long or was given up")
	}
	return nil
}
