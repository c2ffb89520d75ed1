package migrate

import (
	"context"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/mysql"
	atlas "ariga.io/atlas/sql/schema"
)

func (l mysqlDialect) diff(ctx context.Context, d *draft, have, want *atlas.Table) ([]atlas.Change, error) {
	made := d.have.made(want.Name)
	mysqlAdopt(have, want)
	if err := l.adoptDefaults(ctx, d, have, want); err != nil {
		return nil, err
	}
	for _, w := range want.Columns {
		if h, ok := have.Column(w.Name); ok && !made.Columns[d.have.column(want.Name, w.Name)].Made && wider(h.Type.Type, w.Type.Type) {
			w.Type.Type = h.Type.Type
		}
	}
	recollated := mysqlRecollated(have, want)
	restore := mysqlUncollated(have, want)
	changes, err := mysql.DefaultDiff.TableDiff(have, want, atlas.DiffNormalized())
	restore()
	if err != nil {
		return nil, err
	}
	changes = slices.DeleteFunc(changes, func(c atlas.Change) bool {
		switch c := c.(type) {
		case *atlas.DropIndex: // whoever made it wants it
			return !made.madeIndex(c.I.Name)
		case *atlas.DropCheck:
			return !made.Made || !ourCheck(c.C.Name)
		case *atlas.DropForeignKey:
			return !made.Made
		case *atlas.AddAttr, *atlas.ModifyAttr, *atlas.DropAttr: // how somebody wants it stored
			return true
		}
		return false
	})
	for _, w := range want.Columns {
		h, ok := have.Column(w.Name)
		if !ok {
			continue
		}
		if recollated[w] {
			changes = modified(changes, h, w, atlas.ChangeType)
		}
		if has(h.Attrs, new(mysql.AutoIncrement)) != has(w.Attrs, new(mysql.AutoIncrement)) {
			changes = modified(changes, h, w, atlas.ChangeAttr)
		}
	}
	return changes, nil
}

// wider is whether a column that somebody else made holds more than is needed.
func wider(have, want atlas.Type) bool {
	h, ok := have.(*atlas.StringType)
	w, text := want.(*atlas.StringType)
	return ok && text && h.T == mysql.TypeVarchar && w.T == mysql.TypeVarchar && h.Size > w.Size
}

// modified adds to what changes of a column.
func modified(changes []atlas.Change, from, to *atlas.Column, kind atlas.ChangeKind) []atlas.Change {
	for _, c := range changes {
		if m, ok := c.(*atlas.ModifyColumn); ok && m.To == to {
			m.Change |= kind
			return changes
		}
	}
	return append(changes, &atlas.ModifyColumn{From: from, To: to, Change: kind})
}

// mysqlRecollated are the columns whose @column(type:) names another collation than they have.
func mysqlRecollated(have, want *atlas.Table) map[*atlas.Column]bool {
	found := map[*atlas.Column]bool{}
	for _, w := range want.Columns {
		var is, wanted atlas.Collation
		if h, ok := have.Column(w.Name); ok && has(w.Attrs, &wanted) {
			has(h.Attrs, &is)
			found[w] = !strings.EqualFold(is.V, wanted.V)
		}
	}
	return found
}

// mysqlUncollated takes character sets and collations away, which Atlas would compare with
// those of a server it does not know, until restore. A column that has another collation than
// its table keeps it, unless the schema names one.
func mysqlUncollated(have, want *atlas.Table) (restore func()) {
	kept := map[*atlas.Column]string{}
	for _, t := range []*atlas.Table{have, want} {
		var of atlas.Collation
		has(t.Attrs, &of)
		for _, c := range t.Columns {
			var own atlas.Collation
			if has(c.Attrs, &own) && !strings.EqualFold(own.V, of.V) {
				kept[c] = own.V
			}
			// Some are copies of each other.
			c.Attrs = slices.DeleteFunc(slices.Clone(c.Attrs), func(a atlas.Attr) bool {
				switch a.(type) {
				case *atlas.Charset, *atlas.Collation:
					return true
				}
				return false
			})
		}
	}
	for _, w := range want.Columns {
		h, ok := have.Column(w.Name)
		if _, text := w.Type.Type.(*atlas.StringType); ok && text && kept[w] == "" && kept[h] != "" {
			kept[w] = kept[h]
		}
	}
	return func() {
		for c, collation := range kept {
			c.SetCollation(collation)
		}
	}
}

// mysqlAdopt gives what says the same as is wanted the wanted names and spelling.
func mysqlAdopt(have, want *atlas.Table) {
	for _, w := range want.Indexes {
		if _, there := have.Index(w.Name); there || !w.Unique {
			continue
		}
		for _, i := range have.Indexes {
			if i.Unique && slices.EqualFunc(i.Parts, w.Parts, samePart) {
				i.Name = w.Name
				break
			}
		}
	}
	adoptForeignKeys(have, want)
	for _, h := range checksOf(have) {
		for _, w := range checksOf(want) {
			if h.Name == w.Name && mysqlSpelled(h.Expr) == mysqlSpelled(w.Expr) {
				h.Expr = w.Expr
			}
		}
	}
	for _, w := range want.Columns {
		if h, ok := have.Column(w.Name); ok && h.Default != nil && w.Default != nil && mysqlValue(h) == mysqlValue(w) {
			h.Default = w.Default
		}
	}
}

// adoptDefaults takes over how the server spells the expressions of defaults.
func (l mysqlDialect) adoptDefaults(ctx context.Context, d *draft, have, want *atlas.Table) error {
	for _, w := range want.Columns {
		f, h := d.want.field(want.Name, w.Name), (*atlas.Column)(nil)
		if f != nil && f.DefaultSQL != "" {
			h, _ = have.Column(w.Name)
		}
		if h == nil || h.Default == nil || h.Default == w.Default {
			continue
		}
		same, err := l.respelled(ctx, d.conn, d.have.table(want.Name), d.have.column(want.Name, w.Name), defaultSQL(w))
		if err != nil {
			return err
		}
		if same {
			h.Default = w.Default
		}
	}
	return nil
}

// mysqlSpelled is an expression without what MySQL adds to it.
func mysqlSpelled(expr string) string {
	return strings.NewReplacer("_utf8mb4", "", "(", "", ")", "", " ", "").Replace(expr)
}

var (
	mysqlHex      = regexp.MustCompile(`^(?i:x'([0-9a-f]*)'|0x([0-9a-f]*))$`)
	mysqlCharset  = regexp.MustCompile(`^_\w+\\?'`)
	mysqlFraction = regexp.MustCompile(`(:\d\d)(?:\.0+|(\.\d*?)0+)$`)
)

// mysqlValue is the value of a default, however it is spelled.
func mysqlValue(c *atlas.Column) string {
	expr := defaultSQL(c)
	for strings.HasPrefix(expr, "(") && strings.HasSuffix(expr, ")") {
		expr = expr[1 : len(expr)-1]
	}
	if mysqlCharset.MatchString(expr) {
		expr = expr[strings.IndexAny(expr, `\'`):]
	}
	if m := mysqlHex.FindStringSubmatch(expr); m != nil {
		if value, err := hex.DecodeString(m[1] + m[2]); err == nil {
			return "bytes " + string(value)
		}
	}
	value := mysqlUnquoted(expr)
	switch c.Type.Type.(type) {
	case *atlas.TimeType:
		return mysqlFraction.ReplaceAllString(value, "$1$2")
	case *atlas.BinaryType:
		return "bytes " + value
	}
	return value
}

// mysqlEscapes are what stands behind a backslash for something else than itself.
var mysqlEscapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '0': 0, 'b': '\b', 'Z': 26}

// mysqlUnquoted is what a literal says; what is none is itself.
func mysqlUnquoted(literal string) string {
	if len(literal) < 2 || literal[0] != '\'' && literal[0] != '"' || literal[len(literal)-1] != literal[0] {
		return literal
	}
	quote, inner := literal[0], literal[1:len(literal)-1]
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		switch {
		case c == '\\' && i+1 < len(inner):
			i++
			if c = inner[i]; mysqlEscapes[c] != 0 || c == '0' {
				c = mysqlEscapes[c]
			}
		case c == quote:
			i++ // it is doubled
		}
		b.WriteByte(c)
	}
	return b.String()
}
