package postgres

import (
	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// How a parameter of this dialect is bound.
const (
	oddSteps     = sqlgen.Own + iota // the places, from 1, of a path's steps that are names only
	jsonRight                        // a document, or one that no document is where jsonb cannot hold it
	likePattern                      // a pattern of LIKE
	likeRegexp                       // a pattern of LIKE without case, as a regular expression
	foldedRegexp                     // a text without case, as a regular expression
	ownRegexp                        // a regular expression, as PostgreSQL writes it
	wordRegexps                      // the words of a text, each as a regular expression
)

// Member appends the value of a field inside of an embedded column. It is an error if another
// writer stored something else there.
func (d dialect) Member(b *sqlgen.Builder, row string, o query.Operand) {
	f := o.Field
	whole := func(operator string) {
		b.Text("(")
		b.Column(row, o.Inside[0])
		b.Text(" " + operator + " '{")
		for _, step := range o.Inside[1:] {
			b.Text(step.Name + ",") // names of GraphQL: letters, digits and _
		}
		b.Text(f.Name + "}')")
	}
	switch {
	case isDocument(f.Scalar) && (f.Scalar == schema.Embedded || !f.List):
		b.Text("NULLIF(")
		whole("#>")
		b.Text(", 'null')")
	case f.List:
		element := b.Alias()
		b.Text("CASE WHEN jsonb_typeof(")
		whole("#>")
		b.Text(") = 'array' THEN ARRAY(SELECT ")
		d.member(b, f.Scalar, func() { b.Text(element + ".value") })
		b.Text(" FROM jsonb_array_elements_text(")
		whole("#>")
		b.Text(") AS " + element + "(value)) END")
	default:
		d.member(b, f.Scalar, func() { whole("#>>") })
	}
}

// member appends a member's text as a value of its scalar.
func (dialect) member(b *sqlgen.Builder, s schema.Scalar, text func()) {
	if s == schema.Bytes {
		b.Text("decode(")
		text()
		b.Text(", 'base64')")
		return
	}
	text()
	b.Text("::" + typeOf(s))
}

// doc appends a document as jsonb, which json is not.
func (dialect) doc(b *sqlgen.Builder, o query.Operand) {
	b.Operand(o, schema.JSON)
	if o.Kind == query.Column && baseType(o.Field.Native) == "json" {
		b.Text("::jsonb")
	}
}

func (d dialect) JSON(b *sqlgen.Builder, w query.JSON) {
	at := func() {
		b.Text("NULLIF(")
		d.atPath(b, w)
		b.Text(", 'null')")
	}
	b.Text("(")
	switch w.Op {
	case query.JSONIsNull:
		at()
		b.Text(" IS NULL")
	case query.JSONEqual, query.JSONContains:
		at()
		if w.Op == query.JSONEqual {
			b.Text(" = ")
		} else {
			b.Text(" @> ")
		}
		d.document(b, w.Right)
	case query.JSONHasKey:
		b.Text("CASE WHEN ")
		b.Operand(w.Right, schema.String)
		b.Text(" IS NOT NULL THEN jsonb_typeof(")
		at()
		b.Text(") = 'object' AND ")
		at()
		b.Text(" ? ")
		b.Operand(w.Right, schema.String)
		b.Text(" END")
	}
	b.Text(")")
}

// document appends the right side of a comparison.
func (d dialect) document(b *sqlgen.Builder, o query.Operand) {
	if o.Kind == query.Column {
		d.doc(b, o)
		return
	}
	b.Bind(sqlgen.Param{Bind: jsonRight, From: o, Scalar: schema.JSON})
}

// atPath appends what the path leads to. Steps such as "-1" and "01" are names: PostgreSQL takes
// them for numbers of elements too, so a list before one of them leads nowhere.
func (d dialect) atPath(b *sqlgen.Builder, w query.JSON) {
	if w.Path.IsZero() {
		d.doc(b, w.Doc)
		return
	}
	path := func() { b.Bind(sqlgen.Param{Bind: sqlgen.List, From: w.Path, Scalar: schema.String}) }
	odd := func() { b.Bind(sqlgen.Param{Bind: oddSteps, From: w.Path, Scalar: schema.String}) }
	step := b.Alias()
	b.Text("CASE WHEN ")
	odd()
	b.Text(" = '{}' OR NOT EXISTS (SELECT 1 FROM unnest(")
	odd()
	b.Text(") AS " + step + "(n) WHERE jsonb_typeof(")
	d.doc(b, w.Doc)
	b.Text(" #> (")
	path()
	b.Text(")[1:" + step + ".n - 1]) = 'array') THEN ")
	d.doc(b, w.Doc)
	b.Text(" #> ")
	path()
	b.Text(" END")
}
