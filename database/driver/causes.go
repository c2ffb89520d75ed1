package driver

import (
	"slices"
	"strings"

	"spacecloud/fault"
)

// What goes wrong is said in the same words by all drivers where the cause is the same. The first
// half of these is for whoever runs the server, the other for clients.

// Closed is why a database cannot be used before somebody who runs it has done something. Clients
// are only told that it does not answer, as this may name addresses and users.
type Closed struct {
	Why   string // and what to do, in one line
	Cause error
}

func (c *Closed) Error() string {
	if c.Cause == nil {
		return c.Why
	}
	return c.Why + ": " + c.Cause.Error()
}

// Unwrap is what the database said.
func (c *Closed) Unwrap() error { return c.Cause }

// NotOpen is a database that is closed for a reason of its own kind; why says what to do, too.
func NotOpen(cause error, why string) error {
	return fault.Wrap(fault.Unavailable, &Closed{why, cause}, "the database does not answer")
}

// Unreachable is that there is no server at an address; why may be "".
func Unreachable(err error, address, why string) error {
	if why != "" {
		why = " (" + why + ")"
	}
	return NotOpen(err, "the server cannot be reached at "+address+why+"; start it, or correct the address in its URL")
}

// NoUser is that the server does not take the user or the password.
func NoUser(err error) error {
	return NotOpen(err, "the server does not let this user in; correct the user and the password in its URL")
}

// NoAccess is that the user may not use the database.
func NoAccess(err error) error {
	return NotOpen(err, "this user may not use the database of its URL; grant it, or correct the name")
}

// NoDatabase is that the server has none of that name.
func NoDatabase(err error) error {
	return NotOpen(err, "there is no such database on the server; create it, or correct the name in its URL")
}

// NoConnection is that the server takes no more connections; option is what says how many are ours.
func NoConnection(err error, option string) error {
	return NotOpen(err, "the server has no connection left; raise its limit, or set "+option+" in its URL to fewer")
}

// TooOld is a version that is not served.
func TooOld(product, least string) error {
	return fault.New(fault.Invalid, "the server is %s, which is too old; take %s or newer", product, least)
}

// UnreadableURL says what one is like, and nothing of the one that there is: it may hold a password.
func UnreadableURL(like string) error {
	return fault.New(fault.Invalid, "its URL cannot be read; it is like %s, with what is special in user and password percent-encoded, such as %%40 for @", like)
}

// UnnamedURL is one without the name of a database.
func UnnamedURL(like string) error {
	return fault.New(fault.Invalid, "its URL names no database; it is like %s", like)
}

// UnknownOption is one that its URL has and nobody knows; known may be empty.
func UnknownOption(name string, known ...string) error {
	text := ""
	if len(known) > 0 {
		text = "; known are " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
	}
	return fault.New(fault.Invalid, "its URL has the option %q, which does not exist%s", name, text)
}

// BadOption is one with a value that it does not take.
func BadOption(name, wants, value string) error {
	return fault.New(fault.Invalid, "the option %s of its URL has to be %s, not %q", name, wants, value)
}

// Ended is that the end of the request came before the database's answer.
func Ended(err error) error {
	return fault.Wrap(fault.Timeout, err, "the request ended before the database answered")
}

// Waited is that the end of the request came before a connection was free.
func Waited(err error) error {
	return fault.Wrap(fault.Timeout, err, "the request ended before a connection to the database was free")
}

// Lost is that the database went away on the way, with all that was not committed.
func Lost(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the connection to the database was lost")
}

// Unknown is that nobody heard how a commit ended; err is the fault that it would be otherwise, and
// must not be marked by Retry.
func Unknown(err error) error {
	kind := fault.Unavailable
	if fault.KindOf(err) == fault.Timeout {
		kind = fault.Timeout
	}
	return fault.Wrap(kind, err, "it is not known whether the change was made: the database did not say; look before asking again")
}

// Busy is that others were in the way. It is not marked by Retry, which is for the driver to know.
func Busy(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the database is busy: other changes were in the way; ask again")
}

// Full is that the database has no room to write.
func Full(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the database has no room left")
}

// ReadOnly is a database that takes no writes.
func ReadOnly(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the database can only be read")
}

// Unusable is a database that fails by itself.
func Unusable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the database cannot be used")
}

// Altered is that a table, view or column that the schema has is not there, or is another.
func Altered(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the tables of the database are not what the schema says")
}

// TooLarge is a value, or a row, beyond what the database takes.
func TooLarge(err error) error {
	return fault.Wrap(fault.Limit, err, "a value is larger than the database takes")
}

// Refused is what a database says that it should not: the log has it.
func Refused(err error) error {
	return fault.Wrap(fault.Internal, err, "the database refused")
}
