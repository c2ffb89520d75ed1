package resolvers

import (
	"errors"
	"fmt"
	"slices"

	"spacecloud/fault"
	"spacecloud/schema"
)

// maxViolations bounds the list of what is wrong with one change.
const maxViolations = 100

// violations collects all that is wrong with the input of a change.
type violations struct {
	list []error
	more int
}

// field validates the value of a column; path is the way to its row in the input, asked for when
// something is wrong.
func (v *violations) field(f *schema.Field, value schema.Value, path func() []any) {
	if value.IsNull() {
		if f.NonNull && !f.AutoIncrement {
			v.fieldAt(f, value, slices.Concat(path(), []any{f.Name}))
		}
		return
	}
	for _, bad := range f.Validate(value) {
		v.ofAt(f, bad.Rule, bad.Message, slices.Concat(path(), []any{f.Name}), bad.Path)
	}
}

// fieldAt does the same with the way to the value itself.
func (v *violations) fieldAt(f *schema.Field, value schema.Value, at []any) {
	if value.IsNull() {
		if f.NonNull && !f.AutoIncrement {
			v.ofAt(f, "required", "may not be null", at, nil)
		}
		return
	}
	for _, bad := range f.Validate(value) {
		v.ofAt(f, bad.Rule, bad.Message, at, bad.Path)
	}
}

// ofAt adds a violation of a column's rule; inner is the way into its value.
func (v *violations) ofAt(f *schema.Field, rule, message string, at, inner []any) {
	v.add(fault.New(fault.Validation, "%s.%s%s %s", f.Owner.Name, f.Name, fault.Way(inner), message).
		With("rule", rule).At(slices.Concat(at, inner)...))
}

func (v *violations) add(err error) {
	switch {
	case err == nil:
	case len(v.list) == maxViolations:
		v.more++
	default:
		v.list = append(v.list, err)
	}
}

// err is all of it, nil for nothing.
func (v *violations) err() error {
	if v.more > 0 {
		v.list = append(v.list, fault.New(fault.Validation, "and %s", plural(v.more, "more violation")))
	}
	return errors.Join(v.list...)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
