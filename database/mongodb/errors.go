package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	mdriver "go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

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

	typeMismatch  = 14
	addsNumbers   = 16554 // typeMismatch of $add and $multiply, of some versions
	multiplies    = 16555
	filtersLists  = 28651
	concatsArrays = 28664

	diskFull         = 14031
	tooLargeObject   = 10334
	tooLargeDocument = 17419 // of an update's result
	tooLargeMemory   = 17280
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
		return driver.NoUser(err)
	case isUnreachable(err):
		return driver.Unreachable(err, address(err), reason(err))
	case isWaiting(err):
		return driver.Waited(err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), ok && server.HasErrorCode(timeLimit):
		return driver.Ended(err)
	case mongo.IsNetworkError(err):
		return driver.Lost(err)
	case isTransient(err):
		return driver.Retry(driver.Busy(err))
	case ok && server.HasErrorCode(unauthorized):
		return driver.NoAccess(err)
	case ok && server.HasErrorCode(diskFull):
		return driver.Full(err)
	case ok && (server.HasErrorCode(tooLargeDocument) || server.HasErrorCode(tooLargeObject) || server.HasErrorCode(tooLargeMemory)):
		return driver.TooLarge(err)
	case strings.Contains(err.Error(), mdriver.ErrDocumentTooLarge.Error()):
		return driver.TooLarge(err)
	case mongo.IsTimeout(err), errors.Is(err, mongo.ErrClientDisconnected):
		return driver.Lost(err)
	}
	return driver.Refused(err)
}

// isUnreachable is whether there was no server to ask, for the whole of patience.
func isUnreachable(err error) bool {
	selection, ok := errors.AsType[topology.ServerSelectionError](err)
	return ok && !errors.Is(selection.Wrapped, context.Canceled)
}

// isWaiting is whether all connections were lent for as long as the request lasted.
func isWaiting(err error) bool {
	_, ok := errors.AsType[topology.WaitQueueTimeoutError](err)
	return ok
}

// address is where a server was looked for.
func address(err error) string {
	var all []string
	selection, _ := errors.AsType[topology.ServerSelectionError](err)
	for _, s := range selection.Desc.Servers {
		all = append(all, s.Addr.String())
	}
	return strings.Join(all, ", ")
}

// reason is why it cannot be reached, in few words, or "".
func reason(err error) string {
	selection, _ := errors.AsType[topology.ServerSelectionError](err)
	for _, s := range selection.Desc.Servers {
		if errno, ok := errors.AsType[syscall.Errno](s.LastError); ok {
			return errno.Error()
		}
		if dns, ok := errors.AsType[*net.DNSError](s.LastError); ok {
			return dns.Err
		}
	}
	return ""
}

// isRefusal is whether the server said that it did not commit.
func isRefusal(err error) bool {
	server, ok := errors.AsType[mongo.ServerError](err)
	return ok && !server.HasErrorLabel(unknown) && !mongo.IsNetworkError(err) || isTransient(err)
}

func isTransient(err error) bool {
	labeled, ok := errors.AsType[mongo.LabeledError](err)
	return ok && labeled.HasErrorLabel(transient)
}

// refusal is what the server says of one document that it did not write.
type refusal struct {
	code int
	text string
	raw  bson.Raw // with keyPattern, errInfo
}

// isMisfit is whether what an operator would change is nothing that it applies to.
func (r refusal) isMisfit() bool {
	switch r.code {
	case typeMismatch, addsNumbers, multiplies, filtersLists, concatsArrays:
		return true
	}
	return r.code == conversion && (strings.HasPrefix(r.text, "Failed to parse") || strings.HasPrefix(r.text, "Unsupported conversion"))
}

func refusalOf(err error) (refusal, bool) {
	if many, ok := errors.AsType[mongo.BulkWriteException](err); ok && len(many.WriteErrors) > 0 {
		return refusal{many.WriteErrors[0].Code, many.WriteErrors[0].Message, many.WriteErrors[0].Raw}, true
	}
	if one, ok := errors.AsType[mongo.WriteException](err); ok && len(one.WriteErrors) > 0 {
		return refusal{one.WriteErrors[0].Code, one.WriteErrors[0].Message, one.WriteErrors[0].Raw}, true
	}
	if command, ok := errors.AsType[mongo.CommandError](err); ok { // of findAndModify
		return refusal{int(command.Code), command.Message, command.Raw}, true
	}
	return refusal{}, false
}

// constraint is the fault of what the collection does not take, or nil.
func constraint(err error, w *query.Write) error {
	r, ok := refusalOf(err)
	if !ok {
		return nil
	}
	if r.isMisfit() {
		return fault.Wrap(fault.Invalid, err, "%s", driver.Unchangeable)
	}
	switch r.code {
	case duplicateKey:
		names := uniqueFields(w.Type, r.raw)
		return fault.Wrap(fault.Conflict, err, "another %s has this %s", w.Type.Name, driver.Spoken(names)).With("fields", names)
	case invalidDoc:
		return invalid(err, w.Type, r.raw)
	case conversion:
		return fault.Wrap(fault.Invalid, err, "%s", beyond(w))
	case immutable:
		return fault.Wrap(fault.Invalid, err, "the key of a %s cannot change in MongoDB; delete it and make another", w.Type.Name)
	}
	return nil
}

// beyond is what did not fit: the server does not say which result it was.
func beyond(w *query.Write) string {
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
		precision, scale := f.DecimalSize()
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
		return fault.Wrap(fault.Validation, err, "%s of a %s must not be null", driver.Spoken(missing), t.Name).With("fields", missing)
	case len(wrong) > 0:
		return fault.Wrap(fault.Conflict, err, "%s of a %s breaks the validator of the collection", driver.Spoken(wrong), t.Name).With("fields", wrong)
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
