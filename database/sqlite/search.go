package sqlite

import (
	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// Search asks the full-text index: see generator.Searches.
func (dialect) Search(b *sqlgen.Builder, row string, w query.Search) {
	index := query.SearchTable(w.Type)
	b.Text(row + "." + rowIDOf(w.Type) + " IN (SELECT rowid FROM ")
	b.Name(index)
	b.Text(" WHERE ")
	b.Name(index)
	b.Text(" MATCH ")
	b.Bind(sqlgen.Param{Bind: sqlgen.Words, From: w.Words, Scalar: schema.String})
	b.Text(")")
}

// words adds words as FTS5 takes them: each a string of its own, of letters and digits only, so
// that nothing in a text of a request is syntax, and the last the beginning of one.
func (a *args) words(v schema.Value) {
	if v.IsNull() {
		a.null()
		return
	}
	from := len(a.text)
	for i, word := range query.Words(v.Text()) {
		if i > 0 {
			a.text = append(a.text, ' ')
		}
		a.text = append(append(append(a.text, '"'), word...), '"')
	}
	if len(a.text) > from {
		a.text = append(a.text, '*')
	} else {
		a.text = append(a.text, `""`...) // matches nothing
	}
	a.content(sqlite3.SQLITE_TEXT, from)
}
