package sqlite

import (
	"encoding/json"

	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// What looks into values is done by the functions that query.Holds uses, so that both agree.

func (dialect) Member(b *sqlgen.Builder, row string, o query.Operand) {
	f := o.Field
	b.Text("sc_member(")
	b.Column(row, o.Inside[0])
	b.Text(", '" + query.MemberPath(o) + "', ") // names of GraphQL: letters, digits and _
	b.Int(int(memberScalar(f)))
	for _, n := range []int{flag(f.List), f.Precision, f.Scale} {
		b.Text(", ")
		b.Int(n)
	}
	b.Text(")")
}

// memberScalar is what a member is read as. The values of an enum are texts by then.
func memberScalar(f *schema.Field) schema.Scalar {
	if f.Scalar == schema.EnumValue {
		return schema.String
	}
	return f.Scalar
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// memberOf is f(text, path, scalar, whether a list, precision, scale).
func memberOf(c call) {
	f := schema.Field{
		Scalar: schema.Scalar(c.integer(2)), List: c.integer(3) != 0, ElemNull: true, // whatever is there
		Precision: int(c.integer(4)), Scale: int(c.integer(5)),
	}
	v := query.Member(c.text(0), c.text(1), &f)
	switch v.Kind() {
	case schema.NullValue:
		sqlite3.Xsqlite3_result_null(c.tls, c.context)
	case schema.BoolValue, schema.IntValue:
		sqlite3.Xsqlite3_result_int64(c.tls, c.context, v.Int())
	case schema.FloatValue:
		sqlite3.Xsqlite3_result_double(c.tls, c.context, v.Float())
	case schema.BytesValue:
		c.returnBlob(v.Text())
	case schema.ListValue:
		c.returnText(string(appendList(nil, v.List(), f.Scalar)))
	default:
		c.returnText(v.Text())
	}
}

var documentFunctions = [...]string{
	query.JSONIsNull: "sc_json_null", query.JSONEqual: "sc_json_equal",
	query.JSONContains: "sc_json_contains", query.JSONHasKey: "sc_json_has",
}

func (dialect) JSON(b *sqlgen.Builder, w query.JSON) {
	b.Text(documentFunctions[w.Op] + "(")
	b.Operand(w.Doc, schema.JSON)
	b.Text(", ")
	if w.Path.IsZero() {
		b.Text("'[]'")
	} else {
		b.Bind(sqlgen.Param{Bind: sqlgen.List, From: w.Path, Scalar: schema.String})
	}
	if w.Op != query.JSONIsNull {
		b.Text(", ")
		b.Operand(w.Right, schema.JSON)
	}
	b.Text(")")
}

// json is f(document, path, right), without right for JSONIsNull.
func (c call) json(op query.JSONOp) {
	doc, right := "null", ""
	if !c.null(0) {
		doc = c.text(0)
	}
	if op != query.JSONIsNull {
		right = c.text(2)
	}
	var path []string
	if text := c.text(1); text != "[]" {
		_ = json.Unmarshal([]byte(text), &path) // a list of texts: we made it
	}
	switch query.JSONHolds(doc, path, op, right) {
	case query.True:
		c.truth(true)
	case query.False:
		c.truth(false)
	default:
		sqlite3.Xsqlite3_result_null(c.tls, c.context)
	}
}

// distinct is some rows of each key, of those that agree in the columns of Distinct the first.
func (d dialect) distinct(b *sqlgen.Builder, l *query.Level) {
	keys, row, first := b.Alias(), b.Alias(), b.Alias()
	b.Text("SELECT * FROM (SELECT " + first + ".sc_key, ")
	b.Cells(l, first)
	b.Text(", row_number() OVER (PARTITION BY " + first + ".sc_key")
	b.OrderBy(first, l.OrderBy, "")
	b.Text(") AS sc_rank FROM (SELECT " + keys + ".key AS sc_key, " + row + ".*")
	b.First(l, row, keys+".key")
	b.Text(" FROM ")
	eachKey(b, keys, sqlgen.ViaKey(l))
	b.Text(" CROSS JOIN ")
	b.Table(l.Type, row)
	b.Text(" WHERE ")
	b.ReachedWhere(l, row, keyOf(b, l, keys))
	b.Text(") AS " + first + " WHERE " + first + ".sc_first = 1)")
	page(b, l)
}
