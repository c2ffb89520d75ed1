package sqlite

import (
	"encoding/base64"
	"fmt"
	"strings"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/query"
)

// library are the functions and collations that our SQL calls.
type library struct{ patterns patterns }

// function is one SQL function: null when an argument is null, unless it says otherwise.
type function struct {
	name  string
	args  int32
	nulls bool // it takes nulls
	do    func(call)
}

func (l *library) functions() []function {
	return []function{
		{name: "sc_like", args: 2, do: func(c call) { c.truth(query.MatchLike(c.text(0), c.text(1), false)) }},
		{name: "sc_ilike", args: 2, do: func(c call) { c.truth(query.MatchLike(c.text(0), c.text(1), true)) }},
		{name: "sc_icontains", args: 2, do: func(c call) { c.truth(query.ContainsFold(c.text(0), c.text(1))) }},
		{name: "sc_starts", args: 2, do: func(c call) { c.truth(strings.HasPrefix(c.text(0), c.text(1))) }},
		{name: "sc_ends", args: 2, do: func(c call) { c.truth(strings.HasSuffix(c.text(0), c.text(1))) }},
		{name: "sc_regexp", args: 2, do: l.regexp},
		{name: "sc_base64", args: 1, do: decode64},
		{name: "sc_member", args: 6, do: memberOf},
		{name: "sc_json_null", args: 2, nulls: true, do: func(c call) { c.json(query.JSONIsNull) }},
		{name: "sc_json_equal", args: 3, do: func(c call) { c.json(query.JSONEqual) }},
		{name: "sc_json_contains", args: 3, do: func(c call) { c.json(query.JSONContains) }},
		{name: "sc_json_has", args: 3, do: func(c call) { c.json(query.JSONHasKey) }},
		{name: "sc_add", args: 3, nulls: true, do: func(c call) { arithmetic(c, add) }},
		{name: "sc_mul", args: 3, nulls: true, do: func(c call) { arithmetic(c, multiply) }},
		{name: "sc_decimal_add", args: 4, nulls: true, do: func(c call) { decimalArithmetic(c, addDecimal) }},
		{name: "sc_whole", args: 3, do: whole},
		{name: "sc_finite", args: 2, do: finite},
		{name: "sc_decimal_mul", args: 4, nulls: true, do: func(c call) { decimalArithmetic(c, multiplyDecimal) }},
		{name: "sc_push", args: 2, nulls: true, do: push},
		{name: "sc_pull", args: 2, do: pull},
	}
}

// install registers all of it on a connection.
func (l *library) install(c *conn) error {
	for _, f := range l.functions() {
		if err := c.register(f); err != nil {
			return err
		}
	}
	for _, f := range totals {
		if err := c.registerTotal(f); err != nil {
			return err
		}
	}
	compare := func(_ *libc.TLS, _ uintptr, n int32, a uintptr, m int32, b uintptr) int32 {
		return int32(query.CompareDecimal(viewText(a, n), viewText(b, m)))
	}
	c.callbacks = append(c.callbacks, compare)
	name := cString(c.tls, decimalCollation)
	defer libc.Xfree(c.tls, name)
	rc := sqlite3.Xsqlite3_create_collation_v2(c.tls, c.db, name, sqlite3.SQLITE_UTF8, 0, cFunction(compare), 0)
	if rc != sqlite3.SQLITE_OK {
		return c.failure(rc)
	}
	return nil
}

const decimalCollation = "DECIMAL"

func (c *conn) register(f function) error {
	run := func(tls *libc.TLS, context uintptr, n int32, values uintptr) {
		call := call{tls: tls, context: context, values: values}
		defer func() {
			// A panic must not unwind through SQLite, whose statement would stay under way.
			if cause := recover(); cause != nil {
				call.refuse("%s: panic: %v", f.name, cause)
			}
		}()
		switch {
		case c.ctx != nil && c.ctx.Err() != nil: // it is asked between rows only, and a row may take long
			sqlite3.Xsqlite3_interrupt(tls, c.db)
			sqlite3.Xsqlite3_result_null(tls, context)
		case !f.nulls && call.anyNull(int(n)):
			sqlite3.Xsqlite3_result_null(tls, context)
		default:
			f.do(call)
		}
	}
	c.callbacks = append(c.callbacks, run)
	name := cString(c.tls, f.name)
	defer libc.Xfree(c.tls, name)
	const flags = sqlite3.SQLITE_UTF8 | sqlite3.SQLITE_DETERMINISTIC | sqlite3.SQLITE_INNOCUOUS
	if rc := sqlite3.Xsqlite3_create_function_v2(c.tls, c.db, name, f.args, flags, 0, cFunction(run), 0, 0, 0); rc != sqlite3.SQLITE_OK {
		return c.failure(rc)
	}
	return nil
}

// call is one call of a function.
type call struct {
	tls             *libc.TLS
	context, values uintptr
}

func (c call) value(i int) uintptr { return pointerAt(c.values + uintptr(i)*pointerSize) }

func (c call) kind(i int) int32 { return sqlite3.Xsqlite3_value_type(c.tls, c.value(i)) }

func (c call) null(i int) bool { return c.kind(i) == sqlite3.SQLITE_NULL }

func (c call) anyNull(n int) bool {
	for i := range n {
		if c.null(i) {
			return true
		}
	}
	return false
}

// text is an argument, until the call returns.
func (c call) text(i int) string {
	v := c.value(i)
	p := sqlite3.Xsqlite3_value_text(c.tls, v)
	return viewText(p, sqlite3.Xsqlite3_value_bytes(c.tls, v))
}

func (c call) integer(i int) int64 { return sqlite3.Xsqlite3_value_int64(c.tls, c.value(i)) }

func (c call) float(i int) float64 { return sqlite3.Xsqlite3_value_double(c.tls, c.value(i)) }

func (c call) truth(t bool) { sqlite3.Xsqlite3_result_int(c.tls, c.context, libc.Bool32(t)) }

func (c call) returnText(s string) {
	p := cString(c.tls, s)
	defer libc.Xfree(c.tls, p)
	sqlite3.Xsqlite3_result_text(c.tls, c.context, p, int32(len(s)), sqlite3.SQLITE_TRANSIENT)
}

func (c call) returnBlob(s string) {
	p := cString(c.tls, s)
	defer libc.Xfree(c.tls, p)
	sqlite3.Xsqlite3_result_blob(c.tls, c.context, p, int32(len(s)), sqlite3.SQLITE_TRANSIENT)
}

// refuse ends the statement with a message that the caller may see.
func (c call) refuse(format string, args ...any) {
	p := cString(c.tls, fmt.Sprintf(format, args...))
	defer libc.Xfree(c.tls, p)
	sqlite3.Xsqlite3_result_error(c.tls, c.context, p, -1)
	sqlite3.Xsqlite3_result_error_code(c.tls, c.context, sqlite3.SQLITE_CONSTRAINT_FUNCTION)
}

func (l *library) regexp(c call) {
	pattern, err := l.patterns.get(c.text(1))
	if err != nil {
		c.refuse("not a regular expression: %v", err)
		return
	}
	c.truth(pattern.MatchString(c.text(0)))
}

func decode64(c call) {
	raw, err := base64.StdEncoding.DecodeString(c.text(0))
	if err != nil {
		sqlite3.Xsqlite3_result_null(c.tls, c.context)
		return
	}
	c.returnBlob(string(raw))
}
