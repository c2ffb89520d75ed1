// Package fault names the kinds of failure. Every room returns them, every door has one
// table from a kind to its own status, and a client sees only what was written for it.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"strings"
)

// Kind is what sort of failure an error is. Its text is the code a client sees.
type Kind string

// The kinds, by the codes of the API.
const (
	Invalid         Kind = "BAD_USER_INPUT"    // the request is wrong
	Validation      Kind = "VALIDATION_FAILED" // a value breaks a rule of the schema
	Unauthenticated Kind = "UNAUTHENTICATED"   // nobody, or a bad token
	Denied          Kind = "FORBIDDEN"         // somebody who may not
	NotFound        Kind = "NOT_FOUND"         // no such row for this caller
	Conflict        Kind = "CONFLICT"          // a unique key, a foreign key, a version
	Limit           Kind = "LIMIT_EXCEEDED"    // more than a setting allows
	RateLimited     Kind = "RATE_LIMITED"      // too often
	Timeout         Kind = "TIMEOUT"           // took longer than a setting allows
	Unavailable     Kind = "UNAVAILABLE"       // a database or service is down
	Internal        Kind = "INTERNAL"          // our mistake; details are in the log
)

// Error is a failure of a kind with a message for the caller.
type Error struct {
	Kind    Kind
	Message string         // for the caller: no SQL, no stack, nothing of another caller
	Path    []any          // where in the input or the answer: strings and ints, or nil
	Details map[string]any // goes into the extensions of a GraphQL error
	Rules   []Rule         // of the schema, one of which refused: for who develops it, and for nobody else
	Cause   error          // for the log only
}

// Rule is a rule of the schema, or where one would be.
type Rule struct {
	Of   string // read of Post
	File string // as the schema names it
	Line int    // 0 where there is no rule, which refuses everybody
}

// In is the rule as who writes it finds it, its files being in a folder.
func (r Rule) In(folder string) string {
	if r.Line == 0 {
		return r.Of + ": no rule, so nobody may"
	}
	return fmt.Sprintf("%s: rule at %s:%d", r.Of, path.Join(filepath.ToSlash(folder), r.File), r.Line)
}

// Error is the message for the caller, then the cause for the log.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New is a failure of a kind; the text is for the caller.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Wrap is a failure of a kind with the cause that goes to the log.
func Wrap(k Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// At is the failure with a path.
func (e *Error) At(path ...any) *Error {
	c := *e
	c.Path = path
	return &c
}

// With is the failure with one more detail.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Details = make(map[string]any, len(e.Details)+1)
	maps.Copy(c.Details, e.Details)
	c.Details[name] = value
	return &c
}

// Way is a path as a text: ".docs.0.title".
func Way(path []any) string {
	var b strings.Builder
	for _, step := range path {
		fmt.Fprintf(&b, ".%v", step)
	}
	return b.String()
}

// KindOf is the kind of the first fault in err's tree, Internal for any other error and ""
// for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// All lists every fault in err's tree, outermost first, not looking below one that it
// found: errors.Join(a, b) gives two. An error that holds no fault gives one of kind
// Internal.
func All(err error) []*Error {
	if err == nil {
		return nil
	}
	if found := collect(err, nil); len(found) > 0 {
		return found
	}
	return []*Error{{Kind: Internal, Message: "internal error", Cause: err}}
}

// collect looks at err itself, not with errors.As, which would find the first fault of many.
func collect(err error, found []*Error) []*Error {
	switch e := err.(type) { //nolint:errorlint // it walks the tree
	case *Error:
		return append(found, e)
	case interface{ Unwrap() []error }:
		for _, each := range e.Unwrap() {
			found = collect(each, found)
		}
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			found = collect(inner, found)
		}
	}
	return found
}
