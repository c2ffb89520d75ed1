package sqlite

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"

	modernc "modernc.org/sqlite"

	"spacecloud/query"
)

// Dialect is "sqlite".
func (d *Driver) Dialect() string { return "sqlite" }

// Conn lends a connection of database/sql on the same file, for migrations. It knows the
// collation of decimals; the functions of our queries are not there.
func (d *Driver) Conn(ctx context.Context) (*sql.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plain == nil {
		own := &modernc.Driver{}
		if err := own.RegisterCollationUtf8(decimalCollation, query.CompareDecimal); err != nil {
			return nil, explain(err, nil)
		}
		d.plain = sql.OpenDB(connector{own, d.file.plainDSN()})
		d.plain.SetMaxIdleConns(1)
	}
	c, err := d.plain.Conn(ctx)
	return c, explain(err, nil)
}

// connector opens connections without registering a driver by name.
type connector struct {
	driver *modernc.Driver
	dsn    string
}

func (c connector) Connect(context.Context) (sqldriver.Conn, error) { return c.driver.Open(c.dsn) }

func (c connector) Driver() sqldriver.Driver { return c.driver }
