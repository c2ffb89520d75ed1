package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// The numbers of errors that mean something of their own here.
const (
	writeFailed        = 3
	diskFull           = 1021
	tooManyConnections = 1040
	noDatabaseAccess   = 1044
	accessDenied       = 1045
	notNull            = 1048
	noDatabase         = 1049
	shuttingDown       = 1053
	noColumn           = 1054
	duplicate          = 1062
	otherError         = 1105 // which has a number of its own in none of the two
	tableFull          = 1114
	badRegexp          = 1139
	noTableAccess      = 1142
	noTable            = 1146
	packetTooLarge     = 1153
	lockTimeout        = 1205
	deadlock           = 1213
	outOfRange         = 1264
	truncated          = 1265
	tooManyOptions     = 1290 // it runs with an option that forbids this, such as read_only
	badDate            = 1292
	interrupted        = 1317
	badView            = 1356
	noDefault          = 1364
	badValue           = 1366
	tooLong            = 1406
	parentRow          = 1451
	childRow           = 1452
	valueOutOfRange    = 1690
	readOnly           = 1792
	brokenMySQL        = 3819
	brokenMariaDB      = 4025
)

// explain makes a fault of whatever went wrong; w is the write that was refused, or nil.
func explain(err error, w *query.Write) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if m, ok := errors.AsType[*mysql.MySQLError](err); ok {
		if w != nil {
			if constraint := constraint(m, err, w); constraint != nil {
				return constraint
			}
		}
		return general(m, err)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return driver.Ended(err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return driver.Unreachable(err, address(op), reason(err))
	}
	if errors.Is(err, mysql.ErrPktTooLarge) {
		return driver.TooLarge(err)
	}
	if isLost(err) {
		return driver.Lost(err)
	}
	return driver.Refused(err)
}

// address is where a server was looked for.
func address(op *net.OpError) string {
	if op.Addr != nil {
		return op.Addr.String()
	}
	if dns, ok := errors.AsType[*net.DNSError](op); ok {
		return dns.Name
	}
	return "the address of its URL"
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

// isLost is whether nothing more comes by a connection.
func isLost(err error) bool {
	if err == nil {
		return false
	}
	if m, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return m.Number == shuttingDown
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, lost := range []error{sqldriver.ErrBadConn, mysql.ErrInvalidConn, mysql.ErrMalformPkt, mysql.ErrPktSync, mysql.ErrBusyBuffer, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}

// isRefusal is whether the server said that it did not do what it was asked, and is still there to
// know.
func isRefusal(err error) bool {
	_, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && !isLost(err)
}

// rollsBack is whether the server ended the transaction by itself, or may have.
func rollsBack(err error) bool {
	m, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (m.Number == deadlock || m.Number == lockTimeout)
}

func general(m *mysql.MySQLError, err error) error {
	switch m.Number {
	case interrupted:
		return driver.Ended(err)
	case deadlock, lockTimeout:
		return driver.Retry(driver.Busy(err))
	case tooManyConnections:
		return driver.NoConnection(err, "pool_max_conns")
	case noTableAccess:
		return driver.Unusable(err)
	case diskFull, tableFull, writeFailed:
		return driver.Full(err)
	case noTable, noColumn, badView:
		return driver.Altered(err)
	case shuttingDown:
		return driver.Lost(err)
	case tooManyOptions, readOnly:
		return driver.ReadOnly(err)
	case accessDenied:
		return driver.NoUser(err)
	case noDatabaseAccess:
		return driver.NoAccess(err)
	case noDatabase:
		return driver.NoDatabase(err)
	case outOfRange, valueOutOfRange:
		switch kind, _, _ := strings.Cut(m.Message, " "); kind {
		case "BIGINT":
			return fault.Wrap(fault.Invalid, err, "the result does not fit into 64 bits")
		case "DOUBLE":
			return fault.Wrap(fault.Invalid, err, "the result is not a finite number")
		}
		return fault.Wrap(fault.Invalid, err, "the result does not fit")
	case badRegexp:
		return fault.Wrap(fault.Invalid, err, "a regular expression is too much for the database")
	case truncated, badDate, badValue, tooLong:
		return fault.Wrap(fault.Invalid, err, "the database takes no such value")
	case packetTooLarge:
		return driver.TooLarge(err)
	case otherError:
		if strings.Contains(m.Message, "max_allowed_packet") {
			return driver.TooLarge(err)
		}
	case duplicate, parentRow, childRow, brokenMySQL, brokenMariaDB:
		return fault.Wrap(fault.Conflict, err, "the change conflicts with other rows")
	}
	return driver.Refused(err)
}

// constraint is the fault of a broken constraint, or nil.
func constraint(m *mysql.MySQLError, err error, w *query.Write) error {
	switch m.Number {
	case duplicate:
		names := uniqueFields(w.Type, quotedLast(m.Message))
		return fault.Wrap(fault.Conflict, err, "another %s has this %s", w.Type.Name, driver.Spoken(names)).With("fields", names)
	case parentRow, childRow:
		return foreign(m, err, w)
	case notNull, noDefault:
		names := []string{driver.FieldNamed(w.Type, quotedFirst(m.Message))}
		return fault.Wrap(fault.Validation, err, "%s of a %s must not be null", driver.Spoken(names), w.Type.Name).With("fields", names)
	case brokenMySQL, brokenMariaDB:
		names := checkFields(w.Type, quotedFirst(m.Message))
		return fault.Wrap(fault.Conflict, err, "%s of a %s breaks a check of the table", driver.Spoken(names), w.Type.Name).With("fields", names)
	case tooLong:
		names := []string{driver.FieldNamed(w.Type, quotedFirst(m.Message))}
		return fault.Wrap(fault.Validation, err, "the %s of this %s is longer than its column", driver.Spoken(names), w.Type.Name).With("fields", names)
	case outOfRange:
		names := []string{driver.FieldNamed(w.Type, quotedFirst(m.Message))}
		if f := w.Type.Field(names[0]); f != nil && computes(w, f) {
			return overflow(f, err)
		}
		return fault.Wrap(fault.Invalid, err, "the %s of this %s does not fit into its column", driver.Spoken(names), w.Type.Name).With("fields", names)
	}
	return nil
}

// computes is whether a write makes the value of a column of what was in it.
func computes(w *query.Write, f *schema.Field) bool {
	return slices.ContainsFunc(w.Set, func(a query.Assign) bool {
		return a.Field == f && (a.Op == query.Inc || a.Op == query.Mul)
	})
}

// overflow is the result of an inc or mul that does not fit.
func overflow(f *schema.Field, err error) error {
	switch f.Scalar {
	case schema.Int:
		return fault.Wrap(fault.Invalid, err, "the result does not fit into 32 bits")
	case schema.Decimal:
		precision, scale := f.DecimalSize()
		return fault.Wrap(fault.Invalid, err, "the result does not fit into %d digits, %d of them after the point", precision, scale)
	}
	return fault.Wrap(fault.Invalid, err, "the result does not fit")
}

// quotedFirst is what a message first says in quotes, and quotedLast what it says last.
func quotedFirst(message string) string {
	parts := strings.FieldsFunc(message, isQuote)
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

func quotedLast(message string) string {
	parts := strings.Split(message, "'")
	if len(parts) < 3 {
		return ""
	}
	return parts[len(parts)-2]
}

func isQuote(r rune) bool { return r == '\'' || r == '`' }

// foreign names the link whose row is not there, or says that others point to this one.
func foreign(m *mysql.MySQLError, err error, w *query.Write) error {
	if m.Number == childRow && strings.Contains(m.Message, ".`"+w.Type.Table+"`, ") {
		columns := keyColumns(m.Message)
		for _, f := range w.Type.Fields {
			if f.IsLink() && f.Link.Owns && f.Link.Enforced && slices.Equal(columns, columnNames(f.Link.From)) {
				return fault.Wrap(fault.Conflict, err, "the %s of this %s is not there", f.Name, w.Type.Name).With("fields", []string{f.Name})
			}
		}
	}
	return fault.Wrap(fault.Conflict, err, "other rows still point to this %s", w.Type.Name)
}

// keyColumns are those of "… FOREIGN KEY (`a`, `b`) REFERENCES …".
func keyColumns(message string) []string {
	_, rest, _ := strings.Cut(message, "FOREIGN KEY (")
	columns, _, _ := strings.Cut(rest, ") REFERENCES")
	names := strings.Split(columns, ", ")
	for i, name := range names {
		names[i] = strings.ReplaceAll(strings.Trim(name, "`"), "``", "`")
	}
	return names
}

// uniqueFields are the fields of a key, which MySQL names with its table.
func uniqueFields(t *schema.Type, key string) []string {
	key = strings.TrimPrefix(key, t.Table+".")
	if key == "PRIMARY" {
		return driver.FieldNames(t.Primary)
	}
	if names, ok := driver.UniqueFields(t, key); ok {
		return names
	}
	return []string{key}
}

func columnNames(fs []*schema.Field) []string {
	names := make([]string, len(fs))
	for i, f := range fs {
		names[i] = f.Column
	}
	return names
}

// checkFields is the field that a check is of: its name is table, column and what it checks, or the
// column alone for one that the database made. A check of another name stands for itself.
func checkFields(t *schema.Type, check string) []string {
	check = strings.TrimPrefix(check, t.Table+".")
	for _, f := range t.Columns {
		if f.Column == check {
			return []string{f.Name}
		}
	}
	return []string{driver.CheckField(t, check)}
}
