package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// The codes of PostgreSQL that mean something of their own here. See its appendix A.
const (
	notNull     = "23502"
	foreignKey  = "23503"
	unique      = "23505"
	broken      = "23514"
	outOfRange  = "22003"
	cancelled   = "57014"
	badRegexp   = "2201B"
	serialize   = "40001"
	deadlock    = "40P01"
	lockTimeout = "55P03"
	stalePlan   = "0A000"
	noStatement = "26000"
	readOnly    = "25006"
	noDatabase  = "3D000"
	tooLong     = "22001"
	tooMany     = "53300"
	full        = "53100"
	badOption   = "42704" // in the message that opens a connection
	badSetting  = "22023"
	noAccess    = "42501"
)

// digits are the one number in a message, whatever its language.
var digits = regexp.MustCompile(`\d+`)

// explain makes a fault of whatever went wrong; w is the write that was refused, or nil.
func explain(err error, w *query.Write) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		if _, opening := errors.AsType[*pgconn.ConnectError](err); opening {
			if refused := notLetIn(pg, err); refused != nil {
				return refused
			}
		}
		if w != nil {
			if known := constraint(pg, err, w); known != nil {
				return known
			}
		}
		return general(pg, err)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) {
		return driver.Ended(err)
	}
	if c, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return driver.Unreachable(err, address(c.Config), reason(err))
	}
	if isLost(err) {
		return driver.Lost(err)
	}
	return driver.Refused(err)
}

// notLetIn is what only the message that opens a connection can be refused for, or nil.
func notLetIn(pg *pgconn.PgError, err error) error {
	switch pg.Code {
	case badOption:
		return driver.UnknownOption(inQuotes(pg.Message))
	case badSetting:
		return driver.NotOpen(err, "the option "+inQuotes(pg.Message)+" of its URL has a value that the server does not take")
	case noAccess:
		return driver.NoAccess(err)
	}
	return nil
}

// inQuotes is what a message first says in quotes, whatever its language.
func inQuotes(message string) string {
	parts := strings.SplitN(message, `"`, 3)
	if len(parts) < 3 {
		return ""
	}
	return parts[1]
}

// address is where a server is looked for.
func address(c *pgconn.Config) string {
	_, at := pgconn.NetworkAddress(c.Host, c.Port)
	return at
}

// reason is why an address cannot be reached, in few words, or "".
func reason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.Err
	}
	return ""
}

// isStale is whether a statement was prepared for tables that are others now, or is not there
// any more.
func isStale(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == stalePlan && strings.Contains(pg.Routine, "RevalidateCachedQuery") || pg.Code == noStatement)
}

// isRefusal is whether the server said that it did not do what it was asked, and is still there to
// know.
func isRefusal(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Severity == "ERROR"
}

func isLost(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

func general(pg *pgconn.PgError, err error) error {
	switch pg.Code {
	case cancelled:
		return driver.Ended(err)
	case serialize, deadlock:
		return driver.Retry(driver.Busy(err))
	case lockTimeout:
		return driver.Busy(err)
	case tooMany:
		return driver.NoConnection(err, maxConnections)
	case noAccess:
		return driver.Unusable(err)
	case full:
		return driver.Full(err)
	case "42P01", "42703", "42883", "42804": // no table, no column, no such operation, another type
		return driver.Altered(err)
	case tooLong:
		return fault.Wrap(fault.Validation, err, "a text is longer than the %s characters that its column holds", digits.FindString(pg.Message))
	case outOfRange:
		return fault.Wrap(fault.Invalid, err, "the result does not fit: %s", pg.Message)
	case badRegexp:
		return fault.Wrap(fault.Invalid, err, "a regular expression is too much for the database")
	case stalePlan, noStatement:
		return driver.Retry(fault.Wrap(fault.Unavailable, err, "the tables of the database have just changed; ask again"))
	case readOnly:
		return driver.ReadOnly(err)
	case noDatabase:
		return driver.NoDatabase(err)
	}
	class := pg.Code[:min(2, len(pg.Code))]
	switch class {
	case "08", "57":
		return driver.Lost(err)
	case "53", "58", "XX":
		return driver.Unusable(err)
	case "22":
		return fault.Wrap(fault.Invalid, err, "the database takes no such value")
	case "23":
		return fault.Wrap(fault.Conflict, err, "the change conflicts with other rows")
	case "28":
		return driver.NoUser(err)
	case "54":
		return driver.TooLarge(err)
	}
	return driver.Refused(err)
}

// constraint is the fault of a broken constraint, or nil.
func constraint(pg *pgconn.PgError, err error, w *query.Write) error {
	switch pg.Code {
	case unique:
		names := uniqueFields(w.Type, pg)
		return fault.Wrap(fault.Conflict, err, "another %s has this %s", w.Type.Name, driver.Spoken(names)).With("fields", names)
	case foreignKey:
		return foreign(pg, err, w)
	case notNull:
		names := []string{driver.FieldNamed(w.Type, pg.ColumnName)}
		return fault.Wrap(fault.Validation, err, "%s of a %s must not be null", driver.Spoken(names), w.Type.Name).With("fields", names)
	case outOfRange:
		return overflow(pg, err, w)
	case broken:
		names := []string{driver.CheckField(w.Type, pg.ConstraintName)}
		return fault.Wrap(fault.Conflict, err, "%s of a %s breaks a check of the table", driver.Spoken(names), w.Type.Name).With("fields", names)
	}
	return nil
}

// overflow is the result of an inc or mul that does not fit, or nil. PostgreSQL says by which of its
// functions it found that, but not for which column.
func overflow(pg *pgconn.PgError, err error, w *query.Write) error {
	if w.Verb != query.Update {
		return nil
	}
	switch {
	case strings.HasPrefix(pg.Routine, "int84") || strings.HasPrefix(pg.Routine, "int4"):
		return fault.Wrap(fault.Invalid, err, "the result does not fit into 32 bits")
	case strings.HasPrefix(pg.Routine, "int8"):
		return fault.Wrap(fault.Invalid, err, "the result does not fit into 64 bits")
	case strings.HasPrefix(pg.Routine, "float"):
		return fault.Wrap(fault.Invalid, err, "the result is not a finite number")
	case pg.Routine != "apply_typmod":
		return nil
	}
	var of *schema.Field
	for _, a := range w.Set {
		if a.Field.Scalar == schema.Decimal && (a.Op == query.Inc || a.Op == query.Mul) {
			if of != nil {
				return nil
			}
			of = a.Field
		}
	}
	if of == nil {
		return nil
	}
	precision, scale := of.DecimalSize()
	return fault.Wrap(fault.Invalid, err, "the result does not fit into %d digits, %d of them after the point", precision, scale)
}

// foreign names the link whose row is not there, or says that others point to this one: the
// constraint is then one of their table, or the row was to go.
func foreign(pg *pgconn.PgError, err error, w *query.Write) error {
	if w.Verb != query.Delete && pg.TableName == w.Type.Table {
		columns := detailColumns(pg.Detail)
		for _, f := range w.Type.Fields {
			if f.IsLink() && f.Link.Owns && f.Link.Enforced && writes(w, f.Link.From) && slices.Equal(columns, columnNames(f.Link.From)) {
				return fault.Wrap(fault.Conflict, err, "the %s of this %s is not there", f.Name, w.Type.Name).With("fields", []string{f.Name})
			}
		}
	}
	return fault.Wrap(fault.Conflict, err, "other rows still point to this %s", w.Type.Name)
}

// writes is whether a write gives one of the columns a value.
func writes(w *query.Write, columns []*schema.Field) bool {
	for _, c := range columns {
		if slices.Contains(w.Columns, c) || slices.ContainsFunc(w.Set, func(a query.Assign) bool { return a.Field == c }) {
			return true
		}
	}
	return false
}

// uniqueFields are the fields of the constraint of a name, or else those that the detail names.
func uniqueFields(t *schema.Type, pg *pgconn.PgError) []string {
	if pg.ConstraintName == t.Table+"_pkey" {
		return driver.FieldNames(t.Primary)
	}
	if names, ok := driver.UniqueFields(t, pg.ConstraintName); ok {
		return names
	}
	names := detailColumns(pg.Detail)
	for i, column := range names {
		names[i] = driver.FieldNamed(t, column)
	}
	if len(names) == 0 {
		return []string{pg.ConstraintName}
	}
	return names
}

// detailColumns are the columns of "Key (a, b)=(1, 2) is not present in …", in any language.
func detailColumns(detail string) []string {
	_, rest, found := strings.Cut(detail, "(")
	columns, _, ok := strings.Cut(rest, ")=(")
	if !found || !ok {
		return nil
	}
	names := strings.Split(columns, ", ")
	for i, name := range names {
		names[i] = strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`)
	}
	return names
}

func columnNames(fs []*schema.Field) []string {
	names := make([]string, len(fs))
	for i, f := range fs {
		names[i] = f.Column
	}
	return names
}
