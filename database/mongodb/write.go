package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/schema"
)

func (t *tx) write(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	switch w.Verb {
	case query.Create:
		return t.insert(ctx, w)
	case query.Update:
		if len(w.Rows) > 0 {
			return t.changeRows(ctx, w, b)
		}
		return t.change(ctx, w, b)
	case query.Delete:
		return t.remove(ctx, w, b)
	}
	return driver.Written{}, fault.New(fault.Internal, "a write that does not write: %s", w.Verb)
}

func (t *tx) collection(w *query.Write) *mongo.Collection { return t.db.Collection(w.Type.Table) }

// chosen is the filter of the documents of an update or delete, and their keys when they are
// wanted or have to be known: a filter does not look at other rows, a pipeline does.
func (t *tx) chosen(ctx context.Context, w *query.Write, b *query.Binding) (filter any, keys []schema.Value, err error) {
	stages, err := meant(w, b)
	if err != nil {
		return nil, nil, err
	}
	if filter, ok := onlyFilters(stages); ok && !w.WantKeys && len(w.Returning) == 0 {
		return filter, nil, nil
	}
	return t.found(ctx, w, stages)
}

// meant is a pipeline that finds the documents of an update or delete.
func meant(w *query.Write, b *query.Binding) (bson.A, error) {
	s := newScope(nil)
	if w.ByKeys {
		s.stages = append(s.stages, byKeys(w.Type))
	}
	s.filter(w.Where)
	if s.err != nil {
		return nil, s.err
	}
	return filledList(s.stages, b)
}

// onlyFilters is a pipeline as one filter, if it is no more than that.
func onlyFilters(stages bson.A) (bson.D, bool) {
	all := bson.A{}
	for _, s := range stages {
		stage, ok := s.(bson.D)
		if !ok || stage[0].Key != "$match" {
			return nil, false
		}
		all = append(all, stage[0].Value)
	}
	if len(all) == 0 {
		return bson.D{}, true
	}
	return is("$and", all), true
}

// byKeys is the filter of the keys of a binding.
func byKeys(t *schema.Type) slot {
	return slot{show: "by keys", fill: func(b *query.Binding) (any, error) {
		filter, err := keyFilter(t, b.Keys)
		return is("$match", filter), err
	}}
}

func keyFilter(t *schema.Type, keys []schema.Value) (bson.D, error) {
	n := len(t.Primary)
	if n == 0 || len(keys)%n != 0 {
		return nil, fault.New(fault.Internal, "%d values are no whole number of keys of %s", len(keys), t.Name)
	}
	values, rows := bson.A{}, bson.A{} // of keys of one column, and of several
	for i := 0; i < len(keys); i += n {
		row := bson.D{}
		for j, f := range t.Primary {
			v, err := encode(keys[i+j], f)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
			row = append(row, bson.E{Key: generator.DocumentPath(f), Value: is("$eq", v)})
		}
		rows = append(rows, row)
	}
	if n == 1 || len(rows) == 0 {
		return is(generator.DocumentPath(t.Primary[0]), is("$in", values)), nil
	}
	return is("$or", rows), nil
}

// found looks for the documents first.
func (t *tx) found(ctx context.Context, w *query.Write, stages bson.A) (any, []schema.Value, error) {
	project := bson.D{{Key: "_id", Value: 1}}
	for _, f := range w.Type.Primary {
		if name := generator.DocumentPath(f); name != "_id" {
			project = append(project, bson.E{Key: name, Value: 1})
		}
	}
	cursor, err := t.collection(w).Aggregate(t.in(ctx), append(stages, is("$project", project)))
	if err != nil {
		return nil, nil, err
	}
	var docs []bson.Raw
	if err := cursor.All(t.in(ctx), &docs); err != nil {
		return nil, nil, err
	}
	ids, keys := bson.A{}, []schema.Value{}
	for _, doc := range docs {
		ids = append(ids, doc.Lookup("_id"))
		for _, f := range w.Type.Primary {
			v, ok := decode(doc.Lookup(generator.DocumentPath(f)), f)
			if !ok {
				return nil, nil, fault.New(fault.Internal, "%s.%s in a document of %s is not what the schema says", w.Type.Name, f.Name, w.Type.Table)
			}
			keys = append(keys, v)
		}
	}
	return is("_id", is("$in", ids)), keys, nil
}

func (t *tx) change(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	if w.ByKeys && len(b.Keys) == 0 || len(w.Set) == 0 {
		return driver.Written{}, nil
	}
	update, err := assigned(w, b)
	if err != nil {
		return driver.Written{}, err
	}
	filter, keys, err := t.chosen(ctx, w, b)
	if err != nil {
		return driver.Written{}, err
	}
	done, err := t.collection(w).UpdateMany(t.in(ctx), filter, bson.A{is("$set", update)})
	if err != nil {
		return driver.Written{}, err
	}
	return t.told(ctx, w, filter, driver.Written{Affected: int(done.MatchedCount), Keys: keys})
}

func (t *tx) remove(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	if w.ByKeys && len(b.Keys) == 0 {
		return driver.Written{}, nil
	}
	filter, keys, err := t.chosen(ctx, w, b)
	if err != nil {
		return driver.Written{}, err
	}
	done, err := t.told(ctx, w, filter, driver.Written{Keys: keys})
	if err != nil {
		return driver.Written{}, err
	}
	gone, err := t.collection(w).DeleteMany(t.in(ctx), filter)
	if err != nil {
		return driver.Written{}, err
	}
	done.Affected = int(gone.DeletedCount)
	return done, nil
}

// changeRows gives each row values of its own: one command for all of them.
func (t *tx) changeRows(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	if len(w.SetColumns()) == 0 && len(w.Set) == 0 {
		return driver.Written{}, nil
	}
	n := len(w.Type.Primary)
	all := *b
	all.Keys = nil
	for _, row := range w.Rows {
		all.Keys = append(all.Keys, row[:n]...)
	}
	among := *w
	among.ByKeys = true
	filter, keys, err := t.chosen(ctx, &among, &all)
	if err != nil {
		return driver.Written{}, err
	}
	common, err := assigned(w, b)
	if err != nil {
		return driver.Written{}, err
	}
	models := make([]mongo.WriteModel, len(w.Rows))
	for i, row := range w.Rows {
		key, err := keyFilter(w.Type, row[:n])
		if err != nil {
			return driver.Written{}, err
		}
		set := bson.D{}
		for j, f := range w.SetColumns() {
			v, err := assignable(row[n+j], f)
			if err != nil {
				return driver.Written{}, err
			}
			set = append(set, bson.E{Key: generator.DocumentPath(f), Value: v})
		}
		models[i] = mongo.NewUpdateOneModel().SetFilter(is("$and", bson.A{key, filter})).SetUpdate(bson.A{is("$set", append(set, common...))})
	}
	done, err := t.collection(w).BulkWrite(t.in(ctx), models)
	if err != nil {
		return driver.Written{}, err
	}
	return t.told(ctx, w, filter, driver.Written{Affected: int(done.MatchedCount), Keys: keys})
}

func (t *tx) insert(ctx context.Context, w *query.Write) (driver.Written, error) {
	if len(w.Rows) == 0 {
		return driver.Written{}, nil
	}
	next, err := t.generated(ctx, w)
	if err != nil {
		return driver.Written{}, err
	}
	docs, done := make([]any, len(w.Rows)), driver.Written{Affected: len(w.Rows)}
	for i, row := range w.Rows {
		values := map[*schema.Field]schema.Value{}
		for _, f := range w.Type.Columns {
			if f.Default != nil {
				values[f] = *f.Default
			}
		}
		for j, f := range w.Columns {
			values[f] = row[j]
		}
		if f := generatedKey(w.Type); f != nil && values[f].IsNull() {
			values[f] = schema.Integer(next)
			next++
		}
		doc, err := document(w.Type, values)
		if err != nil {
			return driver.Written{}, err
		}
		docs[i] = doc
		if err := tellNew(&done, w, values, doc); err != nil {
			return driver.Written{}, err
		}
	}
	_, err = t.collection(w).InsertMany(t.in(ctx), docs)
	return done, err
}

// tellNew adds what is told of a new document.
func tellNew(done *driver.Written, w *query.Write, values map[*schema.Field]schema.Value, doc bson.D) error {
	if len(w.Returning) > 0 {
		raw, err := bson.Marshal(doc)
		if err == nil {
			tell(done, w, raw)
		}
		return err
	}
	if w.WantKeys {
		for _, f := range w.Type.Primary {
			done.Keys = append(done.Keys, values[f])
		}
	}
	return nil
}

// document is a row as it is stored: its key first, and nothing for null.
func document(t *schema.Type, values map[*schema.Field]schema.Value) (bson.D, error) {
	doc := bson.D{}
	for _, f := range t.Columns {
		v, err := stored(values[f], f)
		switch {
		case err != nil:
			return nil, err
		case v == nil:
		case generator.DocumentPath(f) == "_id":
			doc = append(bson.D{{Key: "_id", Value: v}}, doc...)
		default:
			doc = append(doc, bson.E{Key: generator.DocumentPath(f), Value: v})
		}
	}
	return doc, nil
}

// counters is the collection of the last keys that we made, by collection.
const counters = "_spacecloud_counters"

// generatedKey is the key that the database makes, if it does.
func generatedKey(t *schema.Type) *schema.Field {
	for _, f := range t.Primary {
		if f.AutoIncrement {
			return f
		}
	}
	return nil
}

// generated is the first of as many numbers as rows need, which nobody else gets. They are
// counted outside of the transaction, so that requests do not wait for each other; those of a
// request that fails are not used again.
func (t *tx) generated(ctx context.Context, w *query.Write) (int64, error) {
	key := generatedKey(w.Type)
	if key == nil {
		return 0, nil
	}
	missing, greatest := int64(len(w.Rows)), int64(0)
	for i, f := range w.Columns {
		for _, row := range w.Rows {
			if f == key && !row[i].IsNull() {
				missing--
				greatest = max(greatest, row[i].Int())
			}
		}
	}
	if greatest > 0 {
		if err := t.counted(ctx, w, greatest); err != nil {
			return 0, err
		}
	}
	if missing == 0 {
		return 0, nil
	}
	var counter struct{ N int64 }
	count := func() error {
		return t.db.Collection(counters).FindOneAndUpdate(ctx, is("_id", w.Type.Table), is("$inc", is("n", missing)),
			options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&counter)
	}
	err := count()
	if err == mongo.ErrNoDocuments { //nolint:errorlint // it is never wrapped
		if err = t.counted(ctx, w, 0); err == nil {
			err = count()
		}
	}
	return counter.N - missing + 1, err
}

// counted has the counter of a collection at n at least, and at first at the greatest key there is.
func (t *tx) counted(ctx context.Context, w *query.Write, n int64) error {
	name := generator.DocumentPath(generatedKey(w.Type))
	if n == 0 {
		last, err := t.collection(w).FindOne(ctx, bson.D{}, options.FindOne().SetSort(is(name, -1)).SetProjection(is(name, 1))).Raw()
		if err != nil && err != mongo.ErrNoDocuments { //nolint:errorlint // it is never wrapped
			return err
		}
		n, _ = integerIn(last.Lookup(name))
	}
	_, err := t.db.Collection(counters).UpdateOne(ctx, is("_id", w.Type.Table), is("$max", is("n", n)), options.UpdateOne().SetUpsert(true))
	return err
}
