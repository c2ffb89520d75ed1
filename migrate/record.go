package migrate

import (
	"maps"
	"slices"
)

// record is what we made in a database, and what each of it was in the schema. Only what is
// in it is ever dropped, and @renamed finds by it the table that a type had.
type record struct {
	Tables map[string]madeTable `json:"tables"`
	Views  map[string]string    `json:"views"` // physical name → the statement that makes it
}

// madeTable is a table that the schema served, by its physical name.
type madeTable struct {
	Type    string                `json:"type"`
	Made    bool                  `json:"made"` // by us, and not found here
	Columns map[string]madeColumn `json:"columns"`
	Indexes []string              `json:"indexes"` // those that we made
}

type madeColumn struct {
	Field string `json:"field"`
	Kind  string `json:"kind"` // what it held, as the schema says it: see kindOf
	Made  bool   `json:"made"`
	Key   bool   `json:"key,omitempty"` // of a document: held in its _id
}

func newRecord() record {
	return record{Tables: map[string]madeTable{}, Views: map[string]string{}}
}

// table is the name of the table that the type had, or "".
func (r record) table(typ string) string {
	for _, name := range slices.Sorted(maps.Keys(r.Tables)) {
		if r.Tables[name].Type == typ {
			return name
		}
	}
	return ""
}

// column is the name of the column that the field had, or "".
func (t madeTable) column(field string) string {
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		if t.Columns[name].Field == field {
			return name
		}
	}
	return ""
}

func (t madeTable) madeIndex(name string) bool { return slices.Contains(t.Indexes, name) }

func (r record) equal(o record) bool {
	return maps.Equal(r.Views, o.Views) && maps.EqualFunc(r.Tables, o.Tables, func(a, b madeTable) bool {
		return a.Type == b.Type && a.Made == b.Made && maps.Equal(a.Columns, b.Columns) && slices.Equal(a.Indexes, b.Indexes)
	})
}
