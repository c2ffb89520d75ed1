package driver

import "strings"

// A database that does not keep the types of its columns may hold, in a row that others wrote, what a
// field cannot be. Such a cell is null, and Rows.Misfit says what is there; a member of an embedded value,
// or an element of a list of them, says so itself in the text of that value.

// Misfit is what a cell holds that its field cannot be.
type Misfit struct {
	// Found says what is there, in a sentence that begins "Item.n is"; it tells nothing of the value.
	// It is "" for a cell that fits.
	Found string
	// Key is the primary key of the row as JSON, where the driver knows it and the level does not read it.
	Key string
}

// Unchangeable says why a row is not changed by an operator such as inc whose column holds a misfit.
const Unchangeable = "a value that this would change is not what the schema says; set puts it right"

// unfit begins what stands in the text of an embedded value for what does not fit. No text in JSON
// has this character as it is.
const unfit = "\"\x01"

// AppendUnfit appends what stands in the text of an embedded value for something that does not fit.
func AppendUnfit(dst []byte, found string) []byte {
	return append(append(append(dst, unfit...), found...), '"')
}

// Unfit is what was found where a piece of such a text stands for something that does not fit.
func Unfit(raw string) (found string, ok bool) {
	if found, ok = strings.CutPrefix(raw, unfit); ok {
		found = strings.TrimSuffix(found, `"`)
	}
	return found, ok
}
