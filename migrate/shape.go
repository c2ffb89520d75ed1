package migrate

import (
	"cmp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/mysql"
	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// shape is what is ours in a database that speaks SQL, as it is. Only tables that we made are
// in it: what others made, they may change.
func (s *state) shape(l dialect, ours record) shape {
	all := shape{}
	for _, t := range s.tables.Tables {
		if ours.Tables[t.Name].Made {
			all[t.Name] = shapeOf(l, t)
		}
	}
	for name, objects := range s.others { // which SQLite's tables were rid of
		for _, o := range objects {
			if o.kind == "index" && ours.Tables[name].Made {
				all[name].Parts["index "+o.name] = o.text
			}
		}
	}
	for name := range ours.Views {
		if text, there := s.views[name]; there {
			all["view "+name] = objectShape{Text: text}
		}
	}
	for name, o := range s.search {
		if o.kind == "table" {
			all["search "+name] = objectShape{Text: o.text}
		}
	}
	return all
}

func shapeOf(l dialect, t *atlas.Table) objectShape {
	o := objectShape{Columns: map[string]columnShape{}, Parts: map[string]string{}}
	for _, c := range t.Columns {
		column := columnShape{Type: l.typeName(c.Type.Type) + extraOf(c, t), Required: !c.Type.Null}
		if c.Default != nil {
			column.Default = defaultSQL(c)
		}
		o.Columns[c.Name] = column
	}
	if t.PrimaryKey != nil {
		o.Parts["primary key"] = partsOf(t.PrimaryKey)
	}
	for _, i := range t.Indexes {
		text := map[bool]string{true: "unique "}[i.Unique] + partsOf(i)
		if where := l.predicate(i); where != "" {
			text += " where " + where
		}
		o.Parts["index "+i.Name] = text
	}
	for _, fk := range t.ForeignKeys {
		o.Parts[foreignKeyPart(fk)] = "to " + fk.RefTable.Name + " (" + namesOf(fk.RefColumns) + ") on delete " + strings.ToLower(string(cmp.Or(fk.OnDelete, atlas.NoAction)))
	}
	for _, c := range checksOf(t) {
		o.Parts["check "+c.Name] = c.Expr
	}
	return o
}

// extraOf is what a column is beside its type: how it is numbered, computed and compared.
func extraOf(c *atlas.Column, t *atlas.Table) string {
	extra := ""
	if has(c.Attrs, new(mysql.AutoIncrement)) || has(c.Attrs, new(sqlite.AutoIncrement)) || has(c.Attrs, new(postgres.Identity)) {
		extra += " numbered"
	}
	if expr := new(atlas.GeneratedExpr); has(c.Attrs, expr) {
		extra += " generated as " + expr.Expr
	}
	var own, of atlas.Collation
	has(t.Attrs, &of)
	if has(c.Attrs, &own) && own.V != of.V {
		extra += " collate " + own.V
	}
	return extra
}

func partsOf(i *atlas.Index) string {
	parts := make([]string, len(i.Parts))
	for n, p := range i.Parts {
		switch x := p.X.(type) {
		case *atlas.RawExpr:
			parts[n] = x.X
		default:
			if p.C != nil {
				parts[n] = p.C.Name
			}
		}
		if p.Desc {
			parts[n] += " desc"
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func namesOf(columns []*atlas.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

func foreignKeyPart(fk *atlas.ForeignKey) string { return "foreign key (" + namesOf(fk.Columns) + ")" }

// partOf is what of a table a change is about, as its shape calls it. was is what a column
// is called in the database.
func partOf(c atlas.Change, was func(string) string) string {
	switch c := c.(type) {
	case *atlas.AddColumn:
		return "column " + was(c.C.Name)
	case *atlas.DropColumn:
		return "column " + was(c.C.Name)
	case *atlas.ModifyColumn:
		return "column " + was(c.To.Name)
	case *atlas.AddIndex:
		return "index " + c.I.Name
	case *atlas.ModifyIndex:
		return "index " + c.To.Name
	case *atlas.DropIndex:
		return "index " + c.I.Name
	case *atlas.AddPrimaryKey, *atlas.ModifyPrimaryKey, *atlas.DropPrimaryKey:
		return "primary key"
	case *atlas.AddForeignKey:
		return foreignKeyPart(c.F)
	case *atlas.ModifyForeignKey:
		return foreignKeyPart(c.To)
	case *atlas.DropForeignKey:
		return foreignKeyPart(c.F)
	case *atlas.AddCheck:
		return "check " + c.C.Name
	case *atlas.ModifyCheck:
		return "check " + c.To.Name
	case *atlas.DropCheck:
		return "check " + c.C.Name
	}
	return "table"
}

// shape is what is ours in a database of documents: of each collection that we made its
// validator and its indexes.
func (s documentState) shape(ours record) shape {
	all := shape{}
	for _, c := range s.collections {
		if ours.Tables[c.name].Made && !c.view {
			all[c.name] = c.shape()
		}
	}
	return all
}

func (c *collection) shape() objectShape {
	o := objectShape{Columns: map[string]columnShape{}, Parts: map[string]string{}}
	required, properties := c.rules()
	for _, p := range properties {
		rule, _ := p.Value.(bson.D)
		o.Columns[p.Key] = columnShape{Type: commandText(rule), Required: slices.Contains(required, p.Key)}
	}
	if len(c.validator) > 0 {
		o.Parts[validator] = c.level + ", " + c.action
	}
	for _, i := range c.indexes {
		text := map[bool]string{true: "unique "}[i.Unique] + commandText(i.Keys)
		if len(i.Partial) > 0 {
			text += " where " + commandText(i.Partial)
		}
		o.Parts["index "+i.Name] = text
	}
	return o
}
