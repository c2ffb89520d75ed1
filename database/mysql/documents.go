package mysql

import (
	"encoding/json"
	"io"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// MariaDB compares the numbers of JSON as floats, and lets a list contain what its elements contain.
// So a document is asked in another form, in which neither can be: a text t is "st", a number n is
// "nn" with no more digits than it needs, an object o is {"o":o} and a list l is {"l":l}. Regular
// expressions bring it there, which leave alone what is inside of texts.

const (
	jsonText  = `"(?:[^"\\]++|\\.)*+"`
	elsewhere = jsonText + `(*SKIP)(*F)|`
)

// encodings are what is replaced, and by what, in this order.
var encodings = [][2]string{
	{`"((?:[^"\\]++|\\.)*+)"`, `"s\1"`},
	{elsewhere + `(\.[0-9]*[1-9])0+(?![0-9eE])`, `\1`},
	{elsewhere + `\.0+(?![0-9eE])`, ``},
	{elsewhere + `(?<![eE])-0(?![0-9.eE])`, `0`},
	{elsewhere + `(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)`, `"n\1"`},
	{elsewhere + `\{`, `{"o":{`},
	{elsewhere + `\}`, `}}`},
	{elsewhere + `\[`, `{"l":[`},
	{elsewhere + `\]`, `]}`},
}

func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(text) + "'"
}

// encoded appends a document in the other form.
func encoded(b *sqlgen.Builder, document func()) {
	b.Text(strings.Repeat("REGEXP_REPLACE(", len(encodings)))
	document()
	for _, e := range encodings {
		b.Text(", " + quoted(e[0]) + ", " + quoted(e[1]) + ")")
	}
}

// variants are how many paths stand for one: a number in it leads into an object by a name, or into
// a list.
const variants = 8

func (d dialect) JSON(b *sqlgen.Builder, w query.JSON) {
	document := func() { b.Operand(w.Doc, schema.JSON) }
	whole := document
	if d.server.mariadb {
		whole = func() { encoded(b, document) }
	}
	at := whole
	if !w.Path.IsZero() {
		at = func() {
			b.Text("JSON_EXTRACT(JSON_EXTRACT(")
			whole()
			for i := range variants {
				b.Text(", ")
				b.Bind(sqlgen.Param{Bind: d.pathsAs(), From: w.Path, Key: i})
			}
			b.Text("), '$[0]')")
		}
	}
	there := func() { say(b, "COALESCE(JSON_TYPE(", at, "), 'NULL')") }
	if w.Op == query.JSONIsNull {
		say(b, "(", there, " = 'NULL')")
		return
	}
	say(b, "CASE WHEN ", there, " <> 'NULL' AND ", func() { b.Operand(w.Right, schema.JSON) }, " IS NOT NULL THEN ")
	switch {
	case w.Op == query.JSONHasKey:
		d.hasKey(b, at, w.Right)
	case !d.server.mariadb:
		d.native(b, at, w)
	case w.Right.Kind == query.Column:
		likeColumn(b, at, w)
	default:
		likeOne(b, at, w)
	}
	b.Text(" END")
}

func (d dialect) pathsAs() sqlgen.Bind {
	if d.server.mariadb {
		return jsonPaths
	}
	return nativePaths
}

func (d dialect) hasKey(b *sqlgen.Builder, at func(), key query.Operand) {
	if key.Kind == query.Column {
		b.Fail("the name of a member is a value, not a column, on MySQL")
	}
	as := jsonMember
	if !d.server.mariadb {
		as = nativeMember
	}
	say(b, "JSON_CONTAINS_PATH(", at, ", 'one', ", func() { b.Bind(sqlgen.Param{Bind: as, From: key, Scalar: schema.String}) }, ")")
}

// native asks MySQL, whose documents have numbers.
func (dialect) native(b *sqlgen.Builder, at func(), w query.JSON) {
	right := func() { say(b, "CAST(", func() { b.Operand(w.Right, schema.JSON) }, " AS JSON)") }
	if w.Op == query.JSONEqual {
		say(b, at, " = ", right)
		return
	}
	say(b, "JSON_CONTAINS(", at, ", ", right, ")")
}

// likeOne compares with the forms of a value, of which one has to do.
func likeOne(b *sqlgen.Builder, at func(), w query.JSON) {
	right := b.Alias()
	as, function := jsonEqual, "JSON_EQUALS("
	if w.Op == query.JSONContains {
		as, function = jsonWithin, "JSON_CONTAINS("
	}
	b.Text("EXISTS (SELECT 1 FROM JSON_TABLE(")
	b.Bind(sqlgen.Param{Bind: as, From: w.Right, Scalar: schema.JSON})
	say(b, ", '$[*]' COLUMNS (d JSON PATH '$')) AS "+right+" WHERE "+function, at, ", "+right+".d))")
}

func likeColumn(b *sqlgen.Builder, at func(), w query.JSON) {
	right := func() { encoded(b, func() { b.Operand(w.Right, schema.JSON) }) }
	if w.Op == query.JSONEqual {
		say(b, "JSON_EQUALS(", at, ", ", right, ")")
		return
	}
	say(b, "(JSON_CONTAINS(", at, ", ", right, ") OR JSON_TYPE(", right, ") <> 'OBJECT' AND JSON_CONTAINS(", at, `, CONCAT('{"l":[', `, right, ", ']}')))")
}

// steps are the names and numbers of a path as one of its variants takes them.
func steps(path schema.Value, variant int) (names []string, isNumber []bool, there bool, err error) {
	numbers := 0
	for _, step := range path.List() {
		name := step.Text()
		n, wrong := strconv.ParseUint(name, 10, 31)
		number := wrong == nil && name == strconv.FormatUint(n, 10)
		if number {
			number = variant&(1<<numbers) != 0
			numbers++
		}
		names, isNumber = append(names, name), append(isNumber, number)
	}
	if numbers > bits.Len(variants-1) {
		return nil, nil, false, fault.New(fault.Invalid, "a path into a JSON document has at most %d numbers on MySQL", bits.Len(variants-1))
	}
	return names, isNumber, variant < 1<<numbers, nil
}

// nowhere is a path to what no document has.
const nowhere = `$."nowhere"`

// path adds a variant of a path into an encoded document, or into one as it is.
func (a *args) path(path schema.Value, variant int, isEncoded bool) error {
	names, isNumber, there, err := steps(path, variant)
	if err != nil {
		return err
	}
	if !there {
		a.add(nowhere)
		return nil
	}
	dst := []byte{'$'}
	for i, name := range names {
		switch {
		case isNumber[i] && isEncoded:
			dst = append(dst, `."l"[`+name+"]"...)
		case isNumber[i]:
			dst = append(dst, "["+name+"]"...)
		case isEncoded:
			dst = appendMember(dst, name)
		default:
			dst = schema.AppendString(append(dst, '.'), name)
		}
	}
	a.add(string(dst))
	return nil
}

// appendMember appends the step to a member of an encoded object.
func appendMember(dst []byte, name string) []byte {
	return schema.AppendString(append(dst, `."o".`...), "s"+name)
}

// appendEqual appends a list of the encoded documents that equal one: one, or two where a number has
// an exponent, which stands in the other as it is written.
func appendEqual(dst []byte, text string) []byte {
	dst = append(dst, '[')
	for i, form := range forms(text) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, form...)
	}
	return append(dst, ']')
}

// appendWithin appends a list of the encoded documents of which one has to be contained in what
// contains one: a list may contain a scalar.
func appendWithin(dst []byte, text string) []byte {
	dst = append(dst, '[')
	for i, form := range forms(text) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, form...)
		if !strings.HasPrefix(form, "{") {
			dst = append(dst, `,{"l":[`+form+`]}`...)
		}
	}
	return append(dst, ']')
}

func forms(text string) []string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF {
		return nil
	}
	plain, written := string(appendEncoded(nil, v, true)), string(appendEncoded(nil, v, false))
	if plain == written {
		return []string{plain}
	}
	return []string{plain, written}
}

// appendEncoded appends a document in the form of encodings. plain writes numbers without their
// exponents.
func appendEncoded(dst []byte, v any, plain bool) []byte {
	switch v := v.(type) {
	case string:
		return schema.AppendString(dst, "s"+v)
	case json.Number:
		return schema.AppendString(dst, "n"+number(v.String(), plain))
	case bool:
		return strconv.AppendBool(dst, v)
	case []any:
		dst = append(dst, `{"l":[`...)
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendEncoded(dst, e, plain)
		}
		return append(dst, "]}"...)
	case map[string]any:
		dst = append(dst, `{"o":{`...)
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(schema.AppendString(dst, "s"+name), ':')
			dst = appendEncoded(dst, v[name], plain)
		}
		return append(dst, "}}"...)
	}
	return append(dst, "null"...)
}

// longest is how far an exponent may move the point of a number.
const longest = 400

// number is a number without zeros that say nothing, and without its exponent where that is asked
// for and short.
func number(text string, plain bool) string {
	digits, exponent, has := strings.Cut(strings.ToLower(text), "e")
	if has {
		by, err := strconv.Atoi(exponent)
		if !plain || err != nil || by < -longest || by > longest {
			return text
		}
		digits = shifted(digits, by)
	}
	if strings.Contains(digits, ".") {
		digits = strings.TrimRight(strings.TrimRight(digits, "0"), ".")
	}
	if digits == "-0" {
		return "0"
	}
	return digits
}

// shifted is a decimal times a power of ten.
func shifted(digits string, by int) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	whole, part, _ := strings.Cut(digits, ".")
	point := len(whole) + by
	all := whole + part
	if point <= 0 {
		all, point = strings.Repeat("0", 1-point)+all, 1
	}
	if point > len(all) {
		all += strings.Repeat("0", point-len(all))
	}
	whole, part = strings.TrimLeft(all[:point], "0"), all[point:]
	if whole == "" {
		whole = "0"
	}
	if part != "" {
		part = "." + part
	}
	return sign + whole + part
}

// Member appends the value of a field inside of an embedded column.
func (d dialect) Member(b *sqlgen.Builder, row string, o query.Operand) {
	f := o.Field
	whole := func() { b.Column(row, o.Inside[0]) }
	path := "'$." + query.MemberPath(o) + "'" // names of GraphQL: letters, digits and _
	if f.List || isDocument(f.Scalar) {
		null := "'null'"
		if !d.server.mariadb {
			null = "CAST('null' AS JSON)"
		}
		say(b, "NULLIF(JSON_EXTRACT(", whole, ", "+path+"), "+null+")")
		return
	}
	text := func() {
		if d.server.mariadb {
			say(b, "JSON_VALUE(", whole, ", "+path+")")
		} else {
			say(b, "JSON_UNQUOTE(NULLIF(JSON_EXTRACT(", whole, ", "+path+"), CAST('null' AS JSON)))")
		}
	}
	switch f.Scalar {
	case schema.Boolean:
		say(b, "(", text, " IN ('true', '1'))")
	case schema.Int, schema.BigInt:
		say(b, "CAST(", text, " AS SIGNED)")
	case schema.Float:
		say(b, "CAST(", text, " AS DOUBLE)")
	case schema.DateTime:
		say(b, "CAST(REPLACE(REPLACE(", text, ", 'T', ' '), 'Z', '') AS DATETIME(6))")
	case schema.Decimal, schema.Date, schema.Time:
		say(b, "CAST(", text, " AS "+casts[f.Scalar]+")")
	case schema.Bytes:
		say(b, "FROM_BASE64(", text, ")")
	default:
		say(b, "(", text, " COLLATE "+d.server.collation+")")
	}
}
