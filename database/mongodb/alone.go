package mongodb

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"spacecloud/database/driver"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// WriteAlone does a write of one document without a transaction: a command changes one as a whole or not
// at all, and looks at the condition and changes it in one step.
func (d *Driver) WriteAlone(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	w := n.Write()
	if err := ctx.Err(); err != nil {
		return driver.Written{}, explain(err, w)
	}
	t := &tx{reader: reader{db: d.sure}, driver: d}
	if w.Verb == query.Create && len(w.Rows) == 1 {
		done, err := t.insert(ctx, w)
		return done, explain(err, w)
	}
	filter, ok, err := oneDocument(w, &b)
	if err != nil {
		return driver.Written{}, explain(err, w)
	}
	if !ok {
		return d.writeWhole(ctx, n, b)
	}
	done, err := t.writeOne(ctx, w, &b, filter)
	return done, explain(err, w)
}

// writeWhole does a write of several documents.
func (d *Driver) writeWhole(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (done driver.Written, err error) {
	t, err := d.Begin(ctx)
	if err != nil {
		return done, err
	}
	if done, err = t.Write(ctx, n, b); err != nil {
		return done, errors.Join(err, t.Rollback(ctx))
	}
	return done, t.Commit(ctx)
}

// oneDocument is the filter of an update or delete that means one document by its key, and asks nothing
// of other rows.
func oneDocument(w *query.Write, b *query.Binding) (bson.D, bool, error) {
	if w.Verb == query.Create || w.ByKeys || len(w.Rows) > 0 || w.Verb == query.Update && len(w.Set) == 0 || !namesOne(w) {
		return nil, false, nil
	}
	stages, err := meant(w, b)
	if err != nil {
		return nil, false, err
	}
	filter, ok := onlyFilters(stages)
	return filter, ok, nil
}

// namesOne is whether a condition says the whole primary key.
func namesOne(w *query.Write) bool {
	said := map[*schema.Field]bool{}
	for _, part := range parts(w.Where) {
		if c, ok := part.(query.Compare); ok && c.Op == query.Eq && isOwn(c.Left) && c.Right.Kind == query.Constant {
			said[c.Left.Field] = true
		}
	}
	return !slices.ContainsFunc(w.Type.Primary, func(f *schema.Field) bool { return !said[f] })
}

// isOwn is whether an operand is a column of the row itself, as it is.
func isOwn(o query.Operand) bool {
	return o.Kind == query.Column && o.Fn == 0 && o.Up == 0 && len(o.Via) == 0 && len(o.Inside) == 0
}

// writeOne is one command.
func (t *tx) writeOne(ctx context.Context, w *query.Write, b *query.Binding, filter bson.D) (driver.Written, error) {
	var set bson.A
	if w.Verb == query.Update {
		update, err := assigned(w, b)
		if err != nil {
			return driver.Written{}, err
		}
		set = bson.A{is("$set", update)}
	}
	quiet := len(w.Returning) == 0 && !w.WantKeys
	switch {
	case w.Verb == query.Delete && quiet:
		done, err := t.collection(w).DeleteOne(t.in(ctx), filter)
		if err != nil {
			return driver.Written{}, err
		}
		return driver.Written{Affected: int(done.DeletedCount)}, nil
	case w.Verb == query.Delete:
		return heard(w, t.collection(w).FindOneAndDelete(t.in(ctx), filter, options.FindOneAndDelete().SetProjection(toldFields(w))))
	case quiet:
		done, err := t.collection(w).UpdateOne(t.in(ctx), filter, set)
		if err != nil {
			return driver.Written{}, err
		}
		return driver.Written{Affected: int(done.MatchedCount)}, nil
	}
	after := options.FindOneAndUpdate().SetReturnDocument(options.After).SetProjection(toldFields(w))
	return heard(w, t.collection(w).FindOneAndUpdate(t.in(ctx), filter, set, after))
}

// heard is what a command tells of the document that it wrote.
func heard(w *query.Write, r *mongo.SingleResult) (driver.Written, error) {
	doc, err := r.Raw()
	if err == mongo.ErrNoDocuments { //nolint:errorlint // it is never wrapped
		return driver.Written{}, nil
	}
	if err != nil {
		return driver.Written{}, err
	}
	done := driver.Written{Affected: 1}
	tell(&done, w, doc)
	return done, nil
}

// told adds what a write of several documents tells of them, each of which a filter by key finds.
func (t *tx) told(ctx context.Context, w *query.Write, filter any, done driver.Written) (driver.Written, error) {
	if len(w.Returning) == 0 {
		return done, nil
	}
	cursor, err := t.collection(w).Find(t.in(ctx), filter, options.Find().SetProjection(toldFields(w)))
	if err != nil {
		return done, err
	}
	var docs []bson.Raw
	if err := cursor.All(t.in(ctx), &docs); err != nil {
		return done, err
	}
	done.Keys = nil
	for _, doc := range docs {
		tell(&done, w, doc)
	}
	return done, nil
}

// toldFields are the fields of a document that a write tells of.
func toldFields(w *query.Write) bson.D {
	fields := bson.D{}
	for _, f := range slices.Concat(w.Type.Primary, w.Returning) {
		e := bson.E{Key: generator.DocumentPath(f), Value: 1}
		if !slices.Contains(fields, e) {
			fields = append(fields, e)
		}
	}
	return fields
}

// tell adds what a write tells of one document.
func tell(done *driver.Written, w *query.Write, doc bson.Raw) {
	if w.WantKeys {
		for _, f := range w.Type.Primary {
			v, _ := decode(doc.Lookup(generator.DocumentPath(f)), f) // it was found by that
			done.Keys = append(done.Keys, v)
		}
	}
	for _, f := range w.Returning {
		raw := doc.Lookup(generator.DocumentPath(f))
		v, ok := decode(raw, f)
		m := driver.Misfit{}
		if !ok {
			v, m.Found = schema.Null, found(raw, f)
		}
		if v.IsNull() {
			m.Key = keyText(doc.Lookup("_id"), w.Type)
		}
		done.Values, done.Misfits = append(done.Values, v), append(done.Misfits, m)
	}
}
