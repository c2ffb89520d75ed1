package generator

import (
	"fmt"

	"spacecloud/schema"
)

// How an update changes columns: the operators, each with what it takes.

// updateOperator is one argument of an update.
type updateOperator struct {
	name        string
	description string
	of          func(*schema.Type) []*schema.Field // the columns that it is for
	suffix      string                             // of its input or enum
	about       string                             // what the input holds
	define      func(d *draft, o updateOperator, t *schema.Type) definition
	listed      bool // it takes a list of an enum
}

var updateOperators = []updateOperator{
	{
		name: "set", description: "Values to set.", of: changeable, suffix: "Set",
		about: "What to set in a %s: absent is left as it is, null is set to null.", define: inputOfColumns,
	},
	{
		name: "inc", description: "Numbers to add; null counts as 0.", of: countable, suffix: "Inc",
		about: "What to add to numbers of a %s.", define: inputOfColumns,
	},
	{
		name: "mul", description: "Numbers to multiply by; null counts as 0.", of: countable, suffix: "Mul",
		about: "What to multiply numbers of a %s by.", define: inputOfColumns,
	},
	{
		name: "max", description: "Values to raise to: the greater one stays.", of: ordered, suffix: "Max",
		about: "What values of a %s become at least.", define: inputOfColumns,
	},
	{
		name: "min", description: "Values to lower to: the smaller one stays.", of: ordered, suffix: "Min",
		about: "What values of a %s become at most.", define: inputOfColumns,
	},
	{
		name: "currentDate", description: "Columns to set to the time of the request.", of: dated, suffix: "DateField",
		about: "The columns of a %s that hold a time.", define: enumOfColumns, listed: true,
	},
	{
		name: "push", description: "Elements to append to lists; null counts as [].", of: lists, suffix: "Push",
		about: "What to append to lists of a %s.", define: inputOfColumns,
	},
	{
		name: "pull", description: "Elements to take out of lists, wherever they stand.", of: pullable, suffix: "Pull",
		about: "What to take out of lists of a %s.", define: inputOfColumns,
	},
	{
		name: "unset", description: "Columns to set to null.", of: clearable, suffix: "NullableField",
		about: "The columns of a %s that may be null.", define: enumOfColumns, listed: true,
	},
	{
		name: "rename", description: "Values to move to another column of the same type: {from: TO}.", of: renameable, suffix: "Rename",
		about: "The columns of a %s whose values move, and where to.", define: inputOfRenames,
	},
}

// changes are the arguments of an update that say what to change.
func (d *draft) changes(t *schema.Type) []member {
	var args []member
	for _, o := range updateOperators {
		if len(o.of(t)) == 0 {
			continue
		}
		def := o.define(d, o, t)
		if o.name == "set" {
			def.members = append(def.members, d.linkInputs(t, "LinkSet", updateLinks)...)
		}
		def.name, def.description = t.Name+o.suffix, fmt.Sprintf(o.about, t.Name)
		d.define(def)
		typ := def.name
		if o.listed {
			typ = listOf(typ)
		}
		args = append(args, member{name: o.name, description: o.description, typ: typ})
	}
	return args
}

func inputOfColumns(d *draft, o updateOperator, t *schema.Type) definition {
	return definition{keyword: "input", members: d.inputs(o.of(t), never)}
}

func enumOfColumns(_ *draft, o updateOperator, t *schema.Type) definition {
	return enumOf(o.of(t))
}

func enumOf(fields []*schema.Field) definition {
	def := definition{keyword: "enum"}
	for _, f := range fields {
		def.members = append(def.members, member{name: f.Name})
	}
	return def
}

func inputOfRenames(_ *draft, o updateOperator, t *schema.Type) definition {
	def := definition{keyword: "input"}
	for _, f := range o.of(t) {
		def.members = append(def.members, member{name: f.Name, description: f.Description, typ: t.Name + "NullableField"})
	}
	return def
}

// ordered are the columns that max and min are for: numbers, days and times.
func ordered(t *schema.Type) []*schema.Field {
	return keep(changeable(t), func(f *schema.Field) bool {
		return !f.List && !keyOfLink(f) && (scalars[f.Scalar].numeric || holdsTime(f))
	})
}

func holdsTime(f *schema.Field) bool {
	return f.Scalar == schema.DateTime || f.Scalar == schema.Date || f.Scalar == schema.Time
}

func dated(t *schema.Type) []*schema.Field {
	return keep(changeable(t), func(f *schema.Field) bool { return !f.List && holdsTime(f) })
}

func lists(t *schema.Type) []*schema.Field {
	return keep(changeable(t), func(f *schema.Field) bool { return f.List })
}

// pullable are the lists whose elements every database compares alike.
func pullable(t *schema.Type) []*schema.Field {
	return keep(lists(t), func(f *schema.Field) bool { return f.Scalar != schema.Embedded && f.Scalar != schema.JSON })
}

func clearable(t *schema.Type) []*schema.Field {
	return keep(changeable(t), func(f *schema.Field) bool { return !f.NonNull })
}

// renameable are the columns that another one can take the value of.
func renameable(t *schema.Type) []*schema.Field {
	fields := clearable(t)
	return keep(fields, func(f *schema.Field) bool {
		for _, other := range fields {
			if other != f && f.SameType(other) {
				return true
			}
		}
		return false
	})
}
