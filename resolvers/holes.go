package resolvers

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// An answer has holes where a value should stand that is not to be had: a link leads into a database
// that is down, or a row holds what its field cannot be. While the answer is written a mark stands
// there, which goes along wherever the text is copied to. At the end each mark becomes a null, and its
// place the path of an error.

// hole is why a value is not to be had.
type hole struct {
	err    error // of a level that failed; else it is of a cell
	level  *level
	cell   int
	member *schema.Field // of an embedded value in the cell, or nil
	misfit driver.Misfit // "missing" where the database has no fault
}

// missing is what is found of a value that is not there and has to be.
const missing = "missing"

// holes are those of one answer.
type holes struct {
	mu   sync.Mutex // of several databases levels are written at the same time
	list []hole
}

const (
	// shownHoles is how many holes of one answer have an error of their own.
	shownHoles = 100
	// keptHoles is how many reasons are kept. Later marks show the last of them.
	keptHoles = 1 << 14
	// markByte begins a mark. JSON has no such character, which is an escape in its strings.
	markByte = '\x01'
)

func (h *holes) add(o hole) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.list) < keptHoles {
		h.list = append(h.list, o)
	}
	return len(h.list) - 1
}

// reset forgets all, for another answer.
func (h *holes) reset() {
	clear(h.list)
	h.list = h.list[:0]
}

// appendMark appends the mark of a hole, which is as long as the null that it becomes.
func appendMark(dst []byte, n int) []byte {
	return append(dst, markByte, 'n', byte(n>>7)&0x7f|0x80, byte(n)&0x7f|0x80)
}

// mark notes a hole, and appends its mark.
func (h *holes) mark(dst []byte, o hole) []byte { return appendMark(dst, h.add(o)) }

// Missing is the error of an answer that is there but for its holes: each of the faults has the path
// of a null in it. The nulls may stand where the API promises a value.
type Missing struct{ Faults []*fault.Error }

func (m *Missing) Error() string {
	all := make([]error, len(m.Faults))
	for i, f := range m.Faults {
		all[i] = f
	}
	return errors.Join(all...).Error()
}

// err is m as an error, nil where nothing is missing.
func (m *Missing) err() error {
	if m == nil {
		return nil
	}
	return m
}

// keptFault is a fault of an answer that is kept.
type keptFault struct {
	Kind    fault.Kind     `json:"kind"`
	Message string         `json:"message"`
	Path    []any          `json:"path"`
	Details map[string]any `json:"details"`
}

// kept is the text of an answer and of what it lacks.
func (m *Missing) kept(answer []byte) ([]byte, error) {
	if m == nil {
		return answer, nil
	}
	all := make([]keptFault, len(m.Faults))
	for i, f := range m.Faults {
		all[i] = keptFault{f.Kind, f.Message, f.Path, f.Details}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "an answer cannot be kept")
	}
	return slices.Concat(answer, []byte{0}, text), nil
}

// restored is the answer and what it lacks, from their text.
func restored(text string) (string, *Missing, error) {
	answer, lacks, ok := strings.Cut(text, "\x00")
	if !ok {
		return answer, nil, nil
	}
	var all []keptFault
	if err := json.Unmarshal([]byte(lacks), &all); err != nil {
		return "", nil, fault.Wrap(fault.Internal, err, "an answer that was kept cannot be read")
	}
	m := &Missing{}
	for _, k := range all {
		for i, step := range k.Path {
			if n, ok := step.(float64); ok {
				k.Path[i] = int(n)
			}
		}
		m.Faults = append(m.Faults, &fault.Error{Kind: k.Kind, Message: k.Message, Path: k.Path, Details: k.Details})
	}
	return answer, m, nil
}

// fill makes nulls of the marks in an answer. It is what is missing then, or nil.
func (h *holes) fill(r *Resolvers, c *auth.Caller, answer []byte) *Missing {
	if len(h.list) == 0 {
		return nil
	}
	var places, numbers []int
	more := 0
	for at := 0; ; at += len("null") {
		next := bytes.IndexByte(answer[at:], markByte)
		if next < 0 {
			break
		}
		at += next
		if n := int(answer[at+2]&0x7f)<<7 | int(answer[at+3]&0x7f); len(places) < shownHoles {
			places, numbers = append(places, at), append(numbers, n)
		} else {
			more++
		}
		copy(answer[at:], "null")
	}
	if len(places) == 0 {
		return nil // none of them is shown
	}
	m := &Missing{}
	for i, path := range pathsOf(answer, places) {
		for _, f := range h.list[numbers[i]].faults(r, c) {
			m.Faults = append(m.Faults, f.At(path...))
		}
	}
	if more > 0 {
		last := m.Faults[len(m.Faults)-1]
		m.Faults = append(m.Faults, fault.New(last.Kind, "%d more values of this answer are null by errors like these", more).With("more", more))
	}
	return m
}

// faults are what is told of a hole.
func (o hole) faults(r *Resolvers, c *auth.Caller) []*fault.Error {
	if o.err != nil {
		return fault.All(o.err)
	}
	f, name := o.field()
	wants := f.TypeText()
	where := "one " + o.level.typ.Name
	if o.misfit.Key != "" {
		where = "the " + o.level.typ.Name + " " + o.misfit.Key
	}
	told := where
	if !keyShown(r, c, o.level.typ) {
		told, o.misfit.Key = "one "+o.level.typ.Name, ""
	}
	if o.level.groups != nil {
		told = o.level.typ.Plural
	}
	out := fault.Wrap(fault.Validation, errors.New("what is stored does not fit the schema: "+where+" of "+o.level.typ.Table),
		"%s is %s in %s, where the schema says %s", name, o.misfit.Found, told, wants).
		With("type", f.Owner.Name).With("field", f.Name).With("expected", wants).With("found", o.misfit.Found)
	if o.misfit.Key != "" {
		out = out.With("key", json.RawMessage(o.misfit.Key))
	}
	return []*fault.Error{out}
}

// field is what the hole is of, and what a sentence calls it.
func (o hole) field() (*schema.Field, string) {
	f := o.member
	prefix := ""
	switch {
	case f != nil:
	case o.level.groups != nil:
		m := o.level.groups.Measures[o.cell]
		if f = m.Field; m.Fn != query.KeyOf {
			prefix = "the " + m.Fn.String() + " of "
		}
	default:
		f = o.level.cells[o.cell].Field
	}
	return f, prefix + f.Owner.Name + "." + f.Name
}

// keyShown is whether a caller may know the keys of a type's rows, whatever they are.
func keyShown(r *Resolvers, c *auth.Caller, t *schema.Type) bool {
	for _, f := range t.Primary {
		if r.Rules.Visible(c, f) != nil {
			return false
		}
	}
	return true
}

// cellHole is the hole of a cell of a row that has no value to show.
func (l *level) cellHole(rows driver.Rows, cell int) hole {
	o := hole{level: l, cell: cell, misfit: rows.Misfit(cell)}
	if o.misfit.Found == "" {
		o.misfit.Found = missing
	}
	if l.groups == nil && o.misfit.Key == "" {
		o.misfit.Key = l.key(rows)
	}
	if l.groups == nil && len(l.cells[cell].Via) > 0 {
		o.misfit.Key = "" // of another row
	}
	return o
}

// memberHole is the hole of a member of an embedded value in a cell.
func (l *level) memberHole(rows driver.Rows, cell int, member *schema.Field, found string) hole {
	o := l.cellHole(rows, cell)
	o.member, o.misfit.Found = member, found
	return o
}

// key is the primary key of a row as JSON, where it is read; else "".
func (l *level) key(rows driver.Rows) string {
	members := make([]string, len(l.typ.Primary))
	for i, f := range l.typ.Primary {
		cell := slices.IndexFunc(l.cells, func(c query.Cell) bool { return c.Field == f && c.When == nil && len(c.Via) == 0 })
		if cell < 0 {
			return ""
		}
		value := string(rows.AppendJSON(nil, cell))
		if len(l.typ.Primary) == 1 {
			return value
		}
		members[i] = quoted(f.Name) + ":" + cmp.Or(value, "null")
	}
	return "{" + strings.Join(members, ",") + "}"
}

// pathsOf are the ways from the root of an answer to its nulls at some places, which ascend.
func pathsOf(answer []byte, places []int) [][]any {
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	paths := make([][]any, 0, len(places))
	var at []wayStep // where the next value is
	isKey := false
	for len(paths) < len(places) {
		token, err := d.Token()
		if err != nil {
			return append(paths, make([][]any, len(places)-len(paths))...) // cannot be: we wrote the answer
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				at, isKey = append(at, wayStep{isList: t == '['}), t == '{'
				continue
			}
			at = at[:len(at)-1]
		case string:
			if isKey {
				at[len(at)-1].key, isKey = t, false
				continue
			}
		case nil:
			if int(d.InputOffset())-len("null") == places[len(paths)] {
				paths = append(paths, path(at))
			}
		}
		if len(at) > 0 { // a value has ended
			last := &at[len(at)-1]
			last.n++
			isKey = !last.isList
		}
	}
	return paths
}

// wayStep is one step into an answer: a response key, or an ordinal in a list.
type wayStep struct {
	key    string
	isList bool
	n      int
}

func path(at []wayStep) []any {
	out := make([]any, len(at))
	for i, s := range at {
		if out[i] = s.key; s.isList {
			out[i] = s.n
		}
	}
	return out
}
