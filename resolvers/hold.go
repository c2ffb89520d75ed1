package resolvers

import (
	"context"
	"slices"
	"strings"
	"sync"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// Connections are few, and a change holds those of its transactions while it asks other databases for
// rules, filters, links and its answer. Nobody takes a connection while holding one of a database
// whose name comes later: then nobody can wait for somebody who waits for them. What a change needs of the
// databases before those that it writes is taken with the transactions. Its answer is known to need them; that anything
// else does is found out when it asks, which is then rolled back, begun again with it, and remembered.

// reach remembers which databases changes have asked besides those that they wrote.
type reach struct {
	mu  sync.RWMutex
	dbs map[reached][]*database.DB // guarded by mu
}

// reached are the changes of one verb of one type.
type reached struct {
	typ  *schema.Type
	verb query.Verb
}

func (r *reach) of(c *Change) []*database.DB {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.dbs[reached{c.Type, c.Verb}]
}

func (r *reach) learn(c *Change, db *database.DB) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := (reached{c.Type, c.Verb}); !slices.Contains(r.dbs[k], db) {
		r.dbs[k] = append(slices.Clip(r.dbs[k]), db)
	}
}

// within does it in a transaction on each database: once more from its start when others got in
// the way, or when it wants a database that has to be held first.
func (w *writing) within(ctx context.Context, dbs []*database.DB, changes []Change, do func() error) error {
	beside := w.beside(dbs, changes)
	for {
		w.wants = nil
		err := database.Together(ctx, dbs, beside, func(txs map[*database.DB]driver.Tx, views map[*database.DB]driver.Reader) error {
			w.txs, w.views, w.done = txs, views, w.done[:0]
			err := do()
			w.made = err == nil
			return err
		})
		if w.made { // and committed, or nobody knows, or one database of several has
			w.tell(changes, w.watched)
			w.made = false
		}
		if w.wants == nil || ctx.Err() != nil {
			return err
		}
		w.r.reach.learn(w.now, w.wants)
		beside = append(beside, w.wants)
	}
}

// beside are the databases that changes are known to ask, and whose names come before one that they write.
func (w *writing) beside(dbs []*database.DB, changes []Change) []*database.DB {
	if !w.r.several {
		return nil
	}
	var all []*database.DB
	add := func(found []*database.DB) {
		for _, db := range found {
			if !slices.Contains(dbs, db) && !slices.Contains(all, db) && precedes(db, dbs) {
				all = append(all, db)
			}
		}
	}
	for i := range changes {
		add(w.r.reach.of(&changes[i]))
		for _, f := range changes[i].Answer.finds() {
			if p, err := f.plan(w.caller, lenient); err == nil { // what is wrong with it is told by its change
				add(p.databases)
			}
		}
	}
	return all
}

// precedes is whether a database has to be taken before one of others.
func precedes(db *database.DB, others []*database.DB) bool {
	return slices.ContainsFunc(others, func(o *database.DB) bool { return strings.Compare(db.Name(), o.Name()) < 0 })
}

// finds are those that show rows.
func (a *Answer) finds() []*Found {
	if a.Row != nil {
		return []*Found{a.Row}
	}
	var all []*Found
	for _, m := range a.Members {
		if m.Returning != nil {
			all = append(all, m.Returning)
		}
	}
	return all
}

// held is what a request holds of a database, nil for nothing.
func (w *writing) held(db *database.DB) driver.Reader {
	if tx, ok := w.txs[db]; ok {
		return tx
	}
	if r, ok := w.views[db]; ok {
		return r
	}
	return nil
}

// inOrder is an error that ends the try when a database may not be taken any more.
func (w *writing) inOrder(db *database.DB) error {
	for held := range w.txs {
		if precedes(db, []*database.DB{held}) {
			w.wants = db
			return fault.New(fault.Internal, "database %s is asked for while %s is held", db.Name(), held.Name())
		}
	}
	return nil
}
