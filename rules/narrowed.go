// Package rules says what a caller may do: CEL compiled once, decided as far as the claims
// go, and the rest left as a filter for the database.
package rules

import "spacecloud/query"

// Narrowed is a level that carries its rule. Only this package makes one, so a driver cannot
// be asked for rows past the rules.
type Narrowed struct{ level *query.Level }

// Level is what to read; not to be changed.
func (n Narrowed) Level() *query.Level { return n.level }

// NarrowedWrite is a write that carries its rule.
type NarrowedWrite struct{ write *query.Write }

// Write is what to do; not to be changed.
func (n NarrowedWrite) Write() *query.Write { return n.write }

// System narrows nothing: for our own tables, and for checks that rules themselves ask for.
func System(l query.Level) Narrowed { return Narrowed{&l} }

// SystemWrite narrows nothing: for our own tables.
func SystemWrite(w query.Write) NarrowedWrite { return NarrowedWrite{&w} }
