package schema

import "strings"

// What a type and its fields would be called whose tables and columns are there already.

// Names are what follows from the name of a type where its directives say nothing else.
type Names struct {
	Table, Single, Plural string
	Regular               bool // false for a name without a plural, for which the SDL has to say one
}

// NamesOf are the names of a type.
func NamesOf(typ string) Names {
	many, ok := pluralWords(typ)
	if !ok {
		return Names{Single: camel(typ), Plural: camel(typ) + "List"}
	}
	return Names{Table: joinSnake(many), Single: camel(typ), Plural: joinCamel(many), Regular: true}
}

// ColumnOf is the column of a field.
func ColumnOf(field string) string { return snake(field) }

// ConstraintOf is the name of the index or, with unique, the constraint on columns of a table.
func ConstraintOf(table string, columns []string, unique bool) string {
	suffix := map[bool]string{true: "_key", false: "_idx"}[unique]
	return boundedName(table + "_" + strings.Join(columns, "_") + suffix)
}

// CamelOf is a name in the camel case of fields: author_id is authorId.
func CamelOf(name string) string { return camel(name) }

// MaxDigits is the most digits that a Decimal has.
const MaxDigits = maxPrecision

// Singular is the word whose plural a lower-case word is; false where there is none.
func Singular(many string) (string, bool) {
	for _, one := range singulars(many) {
		if p, ok := plural(one); ok && p == many {
			return one, true
		}
	}
	return "", false
}

// sibilants are endings after which -es makes the plural, and not -s.
var sibilants = []string{"xes", "ches", "shes", "sses", "zes", "tuses", "ruses", "puses", "nuses"}

// singulars are what could be the singular, the likeliest first.
func singulars(many string) []string {
	if many == "" {
		return nil
	}
	var found []string
	for one, p := range irregular {
		if p == many {
			found = append(found, one)
		}
	}
	for _, s := range suffixes {
		if stem, ok := strings.CutSuffix(many, s[1]); ok {
			found = append(found, stem+s[0])
		}
	}
	if uncountable[many] {
		return found
	}
	cut := func(suffix, by string) {
		if stem, ok := strings.CutSuffix(many, suffix); ok && stem != "" {
			found = append(found, stem+by)
		}
	}
	for _, s := range sibilants {
		if strings.HasSuffix(many, s) {
			cut("es", "")
		}
	}
	if many != "movies" && many != "cookies" && many != "calories" {
		cut("ies", "y")
	}
	for _, s := range []string{"yses", "heses", "pses"} {
		if strings.HasSuffix(many, s) && !strings.HasSuffix(many, "apses") && !strings.HasSuffix(many, "lipses") {
			cut("es", "is")
		}
	}
	cut("s", "")
	cut("es", "")
	return found
}
