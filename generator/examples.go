package generator

import (
	"fmt"
	"slices"
	"strings"

	"spacecloud/schema"
)

// Example is a query to begin with.
type Example struct{ Title, Query string }

// mostExamples is how many examples a schema gets.
const mostExamples = 3

// Examples are queries of the types that have most links, for an explorer that opens on
// something to see.
func Examples(s *schema.Schema) []Example {
	types := slices.DeleteFunc(slices.Clone(s.Types), func(t *schema.Type) bool {
		return !readable(t) || !publicly(t) || len(plainColumns(t)) == 0
	})
	slices.SortStableFunc(types, func(a, b *schema.Type) int { return len(links(b)) - len(links(a)) })
	var out []Example
	for _, t := range types[:min(len(types), mostExamples)] {
		out = append(out, example(t))
	}
	return out
}

// publicly is whether some row may be read without a token, as far as the text of the rule says:
// one that looks only at claims needs a token.
func publicly(t *schema.Type) bool {
	rule := t.Rules.Read.Text
	return rule == "true" || strings.Contains(rule, "doc.")
}

func example(t *schema.Type) Example {
	var b strings.Builder
	fmt.Fprintf(&b, "query %s {\n  %s(limit: 5) {\n", capital(t.Plural), t.Plural)
	for _, f := range plainColumns(t) {
		fmt.Fprintf(&b, "    %s\n", f.Name)
	}
	for _, f := range links(t) {
		args := ""
		if f.Link.Many {
			args = "(limit: 3)"
		}
		fmt.Fprintf(&b, "    %s%s { %s }\n", f.Name, args, label(f.Link.Target))
	}
	b.WriteString("  }\n}\n")
	return Example{Title: t.Plural, Query: b.String()}
}

// plainColumns are the first columns that everybody reads and that are short.
func plainColumns(t *schema.Type) []*schema.Field {
	plain := keep(columns(t), func(f *schema.Field) bool {
		return f.Value == nil && !f.List && f.Scalar != schema.JSON && f.Scalar != schema.Bytes &&
			f.Rules.Read.Text == "" && !keyOfLink(f)
	})
	return plain[:min(len(plain), 4)]
}

// links are the first links to what everybody reads.
func links(t *schema.Type) []*schema.Field {
	all := keep(shown(t), func(f *schema.Field) bool {
		return f.IsLink() && f.Rules.Read.Text == "" && publicly(f.Link.Target) && len(plainColumns(f.Link.Target)) > 0
	})
	return all[:min(len(all), 3)]
}

// label is the column that says what a row is: its first text that is no key.
func label(t *schema.Type) string {
	plain := plainColumns(t)
	for _, f := range plain {
		if f.Scalar == schema.String && !f.IsPrimary {
			return f.Name
		}
	}
	return plain[0].Name
}
