package drivertest

import (
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

// searched are what is searched for: also what other syntaxes make something of.
var searched = []string{
	"", " ", "quick", "QUICK", "qui", "quick brown", "brown quick", "quick br", "qui brown", "fox dog", "no", "straße", "STRASSE", "Élan", "élan", "elan",
	`"quick"`, "quick*", "title:quick", "c0:quick", "quick OR no", "NOT quick", "quick AND", "quick NEAR fox", "-quick", "(quick", "^quick", "qui'ck", `qui"ck`, "3", "3.5", "日本", "日", "a_b", "b", "\x00", "NULL", "ünï",
}

func search(t *testing.T, b *bench) {
	b.insert("Note",
		row{"id": "1", "title": "The quick brown fox"},
		row{"id": "2", "title": "Fox", "body": "a lazy dog; quick?"},
		row{"id": "3", "title": "quicker", "body": ""},
		row{"id": "4", "title": "Straße ÉLAN", "body": "3.5 a_b 日本語"},
		row{"id": "5", "title": "OR NOT AND NEAR", "body": "title c0 null"},
	)
	asking := func() {
		b.Helper()
		for _, words := range searched {
			for _, w := range asked(query.Search{Type: b.typ("Note"), Words: query.ArgAt(0)}) {
				b.wantSame("Note", w, query.Binding{Args: []schema.Value{schema.Text(words)}})
			}
		}
	}
	asking()
	notes := b.world.rows[b.typ("Note")]
	set := func(field, value string) query.Assign {
		return query.Assign{Field: b.field("Note." + field), Value: query.Const(schema.Text(value))}
	}
	is := func(id string) query.Where {
		return query.Compare{Left: query.Col(b.field("Note.id")), Op: query.Eq, Right: query.Const(schema.Text(id))}
	}
	b.write(query.Write{Verb: query.Update, Type: b.typ("Note"), Set: []query.Assign{set("title", "slow"), set("body", "brown élan")}, Where: is("1")}, query.Binding{})
	notes[0].values[1], notes[0].values[2] = schema.Text("slow"), schema.Text("brown élan")
	asking()
	b.write(query.Write{Verb: query.Delete, Type: b.typ("Note"), Where: is("2")}, query.Binding{})
	b.world.rows[b.typ("Note")] = append(notes[:1:1], notes[2:]...)
	asking()
}
