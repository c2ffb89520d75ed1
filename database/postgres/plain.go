package postgres

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Dialect is "postgres".
func (d *Driver) Dialect() string { return "postgres" }

// Conn lends a connection of database/sql, for migrations. All values travel as texts.
func (d *Driver) Conn(ctx context.Context) (*sql.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plain == nil {
		d.plain = sql.OpenDB(connector{d.config})
		d.plain.SetMaxIdleConns(1)
	}
	c, err := d.plain.Conn(ctx)
	return c, explain(err, nil)
}

// connector opens connections without registering a driver by name.
type connector struct{ config *pgconn.Config }

func (c connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	pg, err := pgconn.ConnectConfig(ctx, c.config)
	if err != nil {
		return nil, err
	}
	return &plainConn{pg}, nil
}

func (c connector) Driver() sqldriver.Driver { return c }

// Open is not used: there is no name of a database beside the configuration.
func (c connector) Open(string) (sqldriver.Conn, error) { return c.Connect(context.Background()) }

type plainConn struct{ pg *pgconn.PgConn }

var (
	_ sqldriver.QueryerContext = (*plainConn)(nil)
	_ sqldriver.ExecerContext  = (*plainConn)(nil)
	_ sqldriver.ConnBeginTx    = (*plainConn)(nil)
	_ sqldriver.Validator      = (*plainConn)(nil)
)

func (c *plainConn) IsValid() bool { return !c.pg.IsClosed() && !c.pg.IsBusy() }

func (c *plainConn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.pg.Close(ctx)
}

func (c *plainConn) Prepare(query string) (sqldriver.Stmt, error) { return plainStmt{c, query}, nil }

func (c *plainConn) Begin() (sqldriver.Tx, error) {
	return c.BeginTx(context.Background(), sqldriver.TxOptions{})
}

func (c *plainConn) BeginTx(ctx context.Context, options sqldriver.TxOptions) (sqldriver.Tx, error) {
	text := "BEGIN"
	if level := sql.IsolationLevel(options.Isolation); level != sql.LevelDefault {
		text += " ISOLATION LEVEL " + level.String()
	}
	if options.ReadOnly {
		text += " READ ONLY"
	}
	_, err := c.pg.Exec(ctx, text).ReadAll()
	return plainTx{c}, err
}

// ExecContext runs one statement, or several without parameters.
func (c *plainConn) ExecContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	if len(args) == 0 {
		results, err := c.pg.Exec(ctx, query).ReadAll()
		affected := int64(0)
		for _, r := range results {
			affected += r.CommandTag.RowsAffected()
		}
		return sqldriver.RowsAffected(affected), err
	}
	values, err := plainValues(args)
	if err != nil {
		return nil, err
	}
	tag, err := c.pg.ExecParams(ctx, query, values, nil, nil, nil).Close()
	return sqldriver.RowsAffected(tag.RowsAffected()), err
}

func (c *plainConn) QueryContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	values, err := plainValues(args)
	if err != nil {
		return nil, err
	}
	r := c.pg.ExecParams(ctx, query, values, nil, nil, nil)
	rows := &plainRows{reader: r}
	for _, f := range r.FieldDescriptions() {
		rows.columns, rows.types = append(rows.columns, f.Name), append(rows.types, f.DataTypeOID)
	}
	if len(rows.columns) == 0 { // it failed, or has no rows at all
		_, err := r.Close()
		return rows, err
	}
	return rows, nil
}

func plainValues(args []sqldriver.NamedValue) ([][]byte, error) {
	values := make([][]byte, len(args))
	for i, a := range args {
		switch v := a.Value.(type) {
		case nil:
		case string:
			values[i] = []byte(v)
		case []byte:
			values[i] = hex.AppendEncode([]byte(`\x`), v)
		case int64:
			values[i] = strconv.AppendInt(nil, v, 10)
		case float64:
			values[i] = strconv.AppendFloat(nil, v, 'g', -1, 64)
		case bool:
			values[i] = strconv.AppendBool(nil, v)
		case time.Time:
			values[i] = v.AppendFormat(nil, time.RFC3339Nano)
		default:
			return nil, fmt.Errorf("a parameter of type %T", v)
		}
	}
	return values, nil
}

type plainTx struct{ conn *plainConn }

func (t plainTx) Commit() error {
	results, err := t.conn.pg.Exec(context.Background(), commit).ReadAll()
	if err == nil && len(results) == 1 && results[0].CommandTag.String() == rollback {
		return errors.New("the transaction had failed before it was to be committed")
	}
	return err
}

func (t plainTx) Rollback() error {
	_, err := t.conn.pg.Exec(context.Background(), rollback).ReadAll()
	return err
}

// plainStmt is a statement that is sent with its text each time.
type plainStmt struct {
	conn *plainConn
	text string
}

func (plainStmt) Close() error  { return nil }
func (plainStmt) NumInput() int { return -1 }

func (s plainStmt) Exec(args []sqldriver.Value) (sqldriver.Result, error) {
	return s.conn.ExecContext(context.Background(), s.text, named(args))
}

func (s plainStmt) Query(args []sqldriver.Value) (sqldriver.Rows, error) {
	return s.conn.QueryContext(context.Background(), s.text, named(args))
}

func (s plainStmt) ExecContext(ctx context.Context, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	return s.conn.ExecContext(ctx, s.text, args)
}

func (s plainStmt) QueryContext(ctx context.Context, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	return s.conn.QueryContext(ctx, s.text, args)
}

func named(args []sqldriver.Value) []sqldriver.NamedValue {
	out := make([]sqldriver.NamedValue, len(args))
	for i, v := range args {
		out[i] = sqldriver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}

type plainRows struct {
	reader  *pgconn.ResultReader
	columns []string
	types   []uint32
}

func (r *plainRows) Columns() []string { return r.columns }

func (r *plainRows) Close() error {
	_, err := r.reader.Close()
	return err
}

// Next has numbers and truths as themselves, and all else as texts.
func (r *plainRows) Next(dest []sqldriver.Value) error {
	if !r.reader.NextRow() {
		if _, err := r.reader.Close(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, raw := range r.reader.Values() {
		if raw == nil {
			dest[i] = nil
			continue
		}
		dest[i] = plainValue(kindOf(r.types[i]), string(raw))
	}
	return nil
}

func plainValue(k kind, text string) sqldriver.Value {
	switch k {
	case asBool:
		return text == "t"
	case asInt2, asInt4, asInt8:
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i
		}
	}
	return text
}
