package postgres

import (
	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// Search has each word be an expression that the texts of the row have to match. It means the same
// as in other databases, which PostgreSQL's own text search cannot: that has other words, and
// folds by the locale. No index serves it.
func (dialect) Search(b *sqlgen.Builder, row string, w query.Search) {
	b.Text("((concat_ws(' '")
	for _, f := range query.SearchFields(w.Type) {
		b.Text(", ")
		b.Column(row, f)
	}
	b.Text(")" + bytewise + ") ~ ALL(")
	b.Bind(sqlgen.Param{Bind: wordRegexps, From: w.Words, Scalar: schema.String})
	b.Text("))")
}
