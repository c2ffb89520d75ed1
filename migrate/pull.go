package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/schema"
)

// reader is a dialect that can tell what is in a database, whoever made it.
type reader interface {
	// existing reads the tables of those names, or with nil all that there are but our own.
	existing(ctx context.Context, conn *sql.Conn, only []string) (*generator.Existing, error)
}

// Pull is the SDL of a database that is there. It changes nothing.
func Pull(ctx context.Context, db Database) (string, error) {
	if db.Mongo != nil {
		found, err := documents{db}.pull(ctx)
		if err != nil {
			return "", fmt.Errorf("database %s: %w", db.Name, err)
		}
		return generator.Pull(found)
	}
	d, err := dialectOf(db)
	if err != nil {
		return "", err
	}
	r, ok := d.(reader)
	if !ok {
		return "", fault.New(fault.Invalid, "database %s: a schema cannot be pulled from %s yet", db.Name, db.Product)
	}
	var text string
	err = borrow(ctx, db, func(conn *sql.Conn) error {
		return d.look(ctx, conn, false, func() error {
			found, err := r.existing(ctx, conn, nil)
			if err != nil {
				return fmt.Errorf("database %s: %w", db.Name, err)
			}
			found.Database, found.Product = db.Name, db.Product
			text, err = generator.Pull(found)
			return err
		})
	})
	return text, err
}

// setServed takes out of the comparison the tables that we did not make and that hold all
// that the schema wants of them: how they spell it is not ours to change. names are those to
// look at closely; what is returned are those that are left.
func (s *state) setServed(ctx context.Context, conn *sql.Conn, g *goal, names []string) ([]string, error) {
	r, ok := g.dialect.(reader)
	var foreign []string
	for _, t := range g.types {
		if ok && slices.Contains(names, t.Table) && !s.record.Tables[t.Table].Made {
			foreign = append(foreign, t.Table)
		}
	}
	if len(foreign) == 0 {
		return names, nil
	}
	var err error
	if s.found, err = r.existing(ctx, conn, foreign); err != nil {
		return nil, err
	}
	for _, t := range g.types {
		if slices.Contains(foreign, t.Table) && t.Renamed == "" && !s.record.Tables[t.Table].outgrown(t) && generator.Serves(s.found, t.Table, t) {
			s.served[t.Table] = true
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return s.served[name] }), nil
}

// required are the columns of a table that somebody else made which no insert may leave out.
func (s *state) required(table string) []string {
	var names []string
	for _, t := range s.found.Tables {
		for _, c := range t.Columns {
			if t.Name == table && c.NonNull && c.Default == "" && !c.Counted && !c.Generated {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// outgrown is whether we made something in the table that the type does not have any more.
func (t madeTable) outgrown(typ *schema.Type) bool {
	for name, c := range t.Columns {
		if c.Made && !hasColumn(typ, name) {
			return true
		}
	}
	return slices.ContainsFunc(t.Indexes, func(name string) bool {
		return !slices.ContainsFunc(slices.Concat(typ.Uniques, typ.Indexes), func(i schema.Index) bool { return i.Name == name })
	})
}
