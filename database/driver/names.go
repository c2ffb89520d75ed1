package driver

import (
	"strings"

	"spacecloud/schema"
)

// Errors name what a client knows, the fields, where a database names columns and constraints.

// Spoken is names in a sentence.
func Spoken(names []string) string { return strings.Join(names, " and ") }

// FieldNames are the names of fields.
func FieldNames(fs []*schema.Field) []string {
	names := make([]string, len(fs))
	for i, f := range fs {
		names[i] = f.Name
	}
	return names
}

// FieldNamed is the name of the field of a column, or that of a column that is none's.
func FieldNamed(t *schema.Type, column string) string {
	for _, f := range t.Columns {
		if f.Column == column {
			return f.Name
		}
	}
	return column
}

// UniqueFields are the fields of a type's unique constraint; false for one of another name.
func UniqueFields(t *schema.Type, constraint string) ([]string, bool) {
	for _, u := range t.Uniques {
		if u.Name != constraint {
			continue
		}
		names := make([]string, len(u.Fields))
		for i, f := range u.Fields {
			names[i] = f.Field.Name
		}
		return names, true
	}
	return nil, false
}

// CheckField is the field that a check is of, whose name is table, column and what it checks. A check
// of another name stands for itself.
func CheckField(t *schema.Type, check string) string {
	rest, _ := strings.CutPrefix(check, t.Table+"_")
	longest, name := "", check
	for _, f := range t.Columns {
		if len(f.Column) > len(longest) && strings.HasPrefix(rest, f.Column+"_") {
			longest, name = f.Column, f.Name
		}
	}
	return name
}
