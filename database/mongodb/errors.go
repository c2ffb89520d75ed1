package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/schema"
)

// Codes of the server: https://www.mongodb.com/docs/manual/reference/error-codes/
const (
	unauthorized   = 13
	authentication = 18
	timeLimit      = 50
	immutable      = 66
	invalidDoc     = 121
	conversion     = 241
	duplicateKey   = 11000
)

// Labels of errors of transactions.
const (
	transient = "TransientTransactionError"
	unknown   = "UnknownTransactionCommitResult"
)

// explain makes a fault of whatever went wrong; w is the write that was refused, or nil.
func explain(err error, w *query.Write) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if w != nil {
		if broken := constraint(err, w); broken != nil {
			return broken
		}
	}
	server, ok := errors.AsType[mongo.ServerError](err)
	switch {
	case strings.Contains(err.Error(), "auth error"), ok && server.HasErrorCode(authentication):
		return fault.Wrap(fault.Unavailable, err, "the database refuses the user or the password")
	case strings.Contains(err.Error(), "server selection error") && !errors.Is(err, context.Canceled):
		return fault.Wrap(fault.Unavailable, err, "the database does not answer")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), ok && server.HasErrorCode(timeLimit):
		return fault.Wrap(fault.Timeout, err, "the request ended before the database answered")
	case isTransient(err):
		return driver.Retry(fault.Wrap(fault.Conflict, err, "another change to the same rows got in the way; nothing was changed, ask again"))
	case ok && server.HasErrorLabel(unknown):
		return fault.Wrap(fault.Unavailable, err, "the database did not say whether the change was made")
	case ok && server.HasErrorCode(unauthorized):
		return fault.Wrap(fault.Unavailable, err, "the user of the database may not do this")
	case mongo.IsTimeout(err), mongo.IsNetworkError(err), errors.Is(err, mongo.ErrClientDisconnected):
		return fault.Wrap(fault.Unavailable, err, "the database does not answer")
	}
	return fault.Wrap(fault.Internal, err, "the database refused")
}

func isTransient(err error) bool {
	labeled, ok := errors.AsType[mongo.LabeledError](err)
	return ok && labeled.HasErrorLabel(transient)
}

// refusal is what the server says of one document that it did not write.
type refusal struct {
	code int
	raw  bson.Raw // with keyPattern, errInfo
}

func refusalOf(err error) (refusal, bool) {
	if many, ok := errors.AsType[mongo.BulkWriteException](err); ok && len(many.WriteErrors) > 0 {
		return refusal{many.WriteErrors[0].Code, many.WriteErrors[0].Raw}, true
	}
	if one, ok := errors.AsType[mongo.WriteException](err); ok && len(one.WriteErrors) > 0 {
		return refusal{one.WriteErrors[0].Code, one.WriteErrors[0].Raw}, true
	}
	return refusal{}, false
}

// constraint is the fault of what the collection does not take, or nil.
func constraint(err error, w *query.Write) error {
	r, ok := refusalOf(err)
	if !ok {
		return nil
	}
	switch r.code {
	case duplicateKey:
		names := uniqueFields(w.Type, r.raw)
		return fault.Wrap(fault.Conflict, err, "another %s has this %s", w.Type.Name, spoken(names)).With("fields", names)
	case invalidDoc:
		return invalid(err, w.Type, r.raw)
	case conversion:
		return fault.Wrap(fault.Invalid, err, "%s", misfit(w))
	case immutable:
		return fault.Wrap(fault.Invalid, err, "the key of a %s cannot change in MongoDB; delete it and make another", w.Type.Name)
	}
	return nil
}

// misfit is what did not fit: the server does not say which result it was.
func misfit(w *query.Write) string {
	var all []string
	for _, a := range w.Set {
		if (a.Op == query.Inc || a.Op == query.Mul) && !a.Field.IsVersion {
			if text := tooLarge(a.Field); !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	if len(all) == 0 {
		return "a result does not fit its field"
	}
	return strings.Join(all, ", or ")
}

func tooLarge(f *schema.Field) string {
	switch f.Scalar {
	case schema.Float:
		return "the result is not a finite number"
	case schema.Decimal:
		precision, scale := sizeOf(f)
		return fmt.Sprintf("the result does not fit into %d digits, %d of them after the point", precision, scale)
	case schema.Int:
		return "the result does not fit into 32 bits"
	}
	return "the result does not fit into 64 bits"
}

// uniqueFields are the fields of the index that an error names, in its order.
func uniqueFields(t *schema.Type, raw bson.Raw) []string {
	pattern, _ := raw.Lookup("keyPattern").DocumentOK()
	elements, _ := pattern.Elements() // without any there are no names
	names := make([]string, len(elements))
	for i, e := range elements {
		names[i] = fieldOf(t, e.Key())
	}
	return names
}

func fieldOf(t *schema.Type, name string) string {
	for _, f := range t.Columns {
		if generator.DocumentPath(f) == name {
			return f.Name
		}
	}
	return name
}

// invalid names the fields that the validator of a collection refuses: those that are missing
// must not be null, and others hold something else than what it takes.
func invalid(err error, t *schema.Type, raw bson.Raw) error {
	missing, wrong := []string{}, []string{}
	rules, _ := raw.Lookup("errInfo", "details", "schemaRulesNotSatisfied").ArrayOK()
	values, _ := rules.Values() // without any nothing is known
	for _, rule := range values {
		doc, _ := rule.DocumentOK()
		for _, name := range texts(doc.Lookup("missingProperties")) {
			missing = append(missing, fieldOf(t, name))
		}
		properties, _ := doc.Lookup("propertiesNotSatisfied").ArrayOK()
		all, _ := properties.Values() // as above
		for _, property := range all {
			p, _ := property.DocumentOK()
			if name, ok := p.Lookup("propertyName").StringValueOK(); ok {
				wrong = append(wrong, fieldOf(t, name))
			}
		}
	}
	switch {
	case len(missing) > 0:
		return fault.Wrap(fault.Validation, err, "%s of a %s must not be null", spoken(missing), t.Name).With("fields", missing)
	case len(wrong) > 0:
		return fault.Wrap(fault.Conflict, err, "%s of a %s breaks the validator of the collection", spoken(wrong), t.Name).With("fields", wrong)
	}
	return fault.Wrap(fault.Conflict, err, "a %s breaks the validator of the collection", t.Name)
}

func texts(v bson.RawValue) []string {
	array, _ := v.ArrayOK()
	values, _ := array.Values() // none is none
	var all []string
	for _, each := range values {
		if text, ok := each.StringValueOK(); ok {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return all
}

func spoken(names []string) string { return strings.Join(names, " and ") }
