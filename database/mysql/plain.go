package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// Dialect is "mysql", for MariaDB too.
func (d *Driver) Dialect() string { return "mysql" }

// Conn lends a connection of database/sql, for migrations. It has the settings of the others.
func (d *Driver) Conn(ctx context.Context) (*sql.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plain == nil {
		d.plain = sql.OpenDB(plain{d.connect, d.server})
		d.plain.SetMaxIdleConns(1)
	}
	c, err := d.plain.Conn(ctx)
	return c, explain(err, nil)
}

// plain opens connections for database/sql.
type plain struct {
	*connector

	server *server
}

func (p plain) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	raw, ok := c.(rawConn)
	if !ok {
		return nil, fmt.Errorf("a connection of type %T", c)
	}
	if _, err := raw.ExecContext(ctx, p.server.settings(), nil); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}
