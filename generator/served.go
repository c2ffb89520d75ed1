package generator

import (
	"slices"

	"spacecloud/schema"
)

// What of a schema is in the API, and what may be null there.

// served is whether the API knows a type: some verb has a rule, and it is no join table of ours.
func served(t *schema.Type) bool { return readable(t) || writable(t) }

func readable(t *schema.Type) bool { return !t.Owned && t.Rules.Read.Text != "" }

func writable(t *schema.Type) bool { return creates(t) || updates(t) || deletes(t) }

func creates(t *schema.Type) bool { return writes(t, t.Rules.Create) && len(settable(t)) > 0 }

func updates(t *schema.Type) bool { return writes(t, t.Rules.Update) && len(changeable(t)) > 0 }

func deletes(t *schema.Type) bool { return writes(t, t.Rules.Delete) }

func writes(t *schema.Type, rule schema.Expr) bool {
	return t.Kind == schema.Table && !t.Owned && rule.Text != ""
}

// shown are the fields of a type that the API shows: not the hidden ones, and links only to
// what can be read.
func shown(t *schema.Type) []*schema.Field {
	return keep(t.Fields, func(f *schema.Field) bool {
		return !f.Hidden && (!f.IsLink() || reachable(f.Link))
	})
}

// reachable is whether a link leads to what can be read, by way of what can be.
func reachable(l *schema.Link) bool {
	return readable(l.Target) && (l.Through == nil || l.Through.Owned || readable(l.Through))
}

// columns are the columns of a type that the API shows.
func columns(t *schema.Type) []*schema.Field {
	return keep(t.Columns, func(f *schema.Field) bool { return !f.Hidden })
}

// settable are the columns that an insert may give: the server fills the others itself.
func settable(t *schema.Type) []*schema.Field {
	return keep(columns(t), func(f *schema.Field) bool {
		return !f.AutoIncrement && !f.CreatedAt && !f.UpdatedAt && !f.IsVersion
	})
}

// changeable are the columns that an update may set. A primary key is not: it is what links,
// feeds and caches know a row by.
func changeable(t *schema.Type) []*schema.Field {
	return keep(settable(t), func(f *schema.Field) bool { return !f.IsPrimary })
}

// countable are the columns that an update may add to. Keys of links are numbers at times,
// but sums of them lead nowhere.
func countable(t *schema.Type) []*schema.Field {
	return keep(changeable(t), func(f *schema.Field) bool {
		return !f.List && scalars[f.Scalar].numeric && !keyOfLink(f)
	})
}

// sortable are the columns that rows can be ordered by.
func sortable(t *schema.Type) []*schema.Field {
	return keep(columns(t), func(f *schema.Field) bool { return !f.List && scalars[f.Scalar].sortable })
}

// key is a key that one row can be asked for by, and the query that does.
type key struct {
	query  string
	fields []*schema.Field
}

// keys are those of a type that arguments can name: the primary key first.
func keys(t *schema.Type) []key {
	var found []key
	if askable(t.Primary) {
		found = append(found, key{t.Single, t.Primary})
	}
	for _, u := range t.Uniques {
		if fields := fieldsOf(u); askable(fields) {
			found = append(found, key{t.KeyName(u), fields})
		}
	}
	return found
}

func fieldsOf(i schema.Index) []*schema.Field {
	fields := make([]*schema.Field, len(i.Fields))
	for n, f := range i.Fields {
		fields[n] = f.Field
	}
	return fields
}

// askable is whether a key can stand as arguments: there is one, and all of it is shown.
func askable(key []*schema.Field) bool {
	return len(key) > 0 && !slices.ContainsFunc(key, func(f *schema.Field) bool { return f.Hidden })
}

// nonNull is whether a field is never null in the API. A field is null to whom its rule
// refuses it. A to-one link is null where the row it points to cannot be read, so it is
// non-null only where that row always exists and everybody may read it. A link into another
// database is null while that one is down.
func nonNull(f *schema.Field) bool {
	switch {
	case !always(f.Rules.Read), f.IsApart():
		return false
	case !f.IsLink():
		return f.NonNull
	case f.Link.Many:
		return true
	}
	return f.NonNull && f.Link.Enforced && f.Link.Target.Rules.Read.Text == everybody
}

const everybody = "true"

// always is whether a field rule refuses nobody.
func always(rule schema.Expr) bool { return rule.Text == "" || rule.Text == everybody }

// required is whether an insert must give a column: nothing else fills it. An ID that is the
// primary key is made by the server, unless it is the key of another row.
func required(f *schema.Field) bool {
	made := f.IsPrimary && f.Scalar == schema.ID && !keyOfLink(f)
	return f.NonNull && f.Default == nil && f.DefaultExpr.Text == "" && f.DefaultSQL == "" && !made
}

// keyOfLink is whether a column holds the key of the row that a link leads to.
func keyOfLink(f *schema.Field) bool {
	for _, l := range f.Owner.Fields {
		if l.IsLink() && l.Link.Owns && slices.Contains(l.Link.From, f) {
			return true
		}
	}
	return false
}

func keep(fields []*schema.Field, ok func(*schema.Field) bool) []*schema.Field {
	var kept []*schema.Field
	for _, f := range fields {
		if ok(f) {
			kept = append(kept, f)
		}
	}
	return kept
}
