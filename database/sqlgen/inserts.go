package sqlgen

import (
	"encoding/binary"

	"spacecloud/schema"
)

// Inserts keeps the texts of inserts by their shape, of which an API has few: rendering one takes
// longer than sending it. The zero value is empty; it is used by one goroutine at a time.
type Inserts struct{ texts map[insertShape]string }

// insertShape is all that the text of an insert depends on.
type insertShape struct {
	of      *schema.Type
	rows    int
	columns string // the places of those that are filled, and of those that are returned
}

// keptInserts is how many texts there are at most.
const keptInserts = 256

// Text is the text of an insert of n rows, as render makes it when it is not at hand. An n of 0 is any
// number of rows.
func (k *Inserts) Text(t *schema.Type, columns []*schema.Field, n int, returning []*schema.Field, render func() (Statement, error)) (string, error) {
	var room [64]byte
	places := appendPlaces(appendPlaces(room[:0], columns), returning)
	if text, ok := k.texts[insertShape{t, n, string(places)}]; ok {
		return text, nil
	}
	s, err := render()
	if err != nil {
		return "", err
	}
	if k.texts == nil || len(k.texts) >= keptInserts {
		k.texts = map[insertShape]string{}
	}
	k.texts[insertShape{t, n, string(places)}] = s.Text
	return s.Text, nil
}

func appendPlaces(dst []byte, fs []*schema.Field) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(fs)))
	for _, f := range fs {
		dst = binary.AppendUvarint(dst, uint64(f.Index))
	}
	return dst
}
