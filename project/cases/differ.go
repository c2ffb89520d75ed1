package cases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// differences are where an answer is not what was expected, a line each: the path, what was
// expected there and what came. The order of a list counts, that of an object's members does not.
func differences(at string, want, got any) []string {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return ofObjects(at, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok {
			return ofLists(at, w, g)
		}
	}
	if same(want, got) {
		return nil
	}
	return []string{fmt.Sprintf("%s: expected %s, came %s", at, shown(want), shown(got))}
}

func ofObjects(at string, want, got map[string]any) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		came, ok := got[name]
		if !ok {
			lines = append(lines, fmt.Sprintf("%s.%s: expected %s, came nothing", at, name, shown(want[name])))
			continue
		}
		lines = append(lines, differences(at+"."+name, want[name], came)...)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			lines = append(lines, fmt.Sprintf("%s.%s: expected nothing, came %s", at, name, shown(got[name])))
		}
	}
	return lines
}

// ofLists tells of lists of one length where they differ, and else of what there is too much and
// too little.
func ofLists(at string, want, got []any) []string {
	var lines []string
	if len(want) == len(got) {
		for i := range want {
			lines = append(lines, differences(at+"."+strconv.Itoa(i), want[i], got[i])...)
		}
		return lines
	}
	for _, item := range lacking(want, got) {
		lines = append(lines, fmt.Sprintf("%s: expected %s, which is not there", at, shown(item)))
	}
	for _, item := range lacking(got, want) {
		lines = append(lines, fmt.Sprintf("%s: came %s, which is not expected", at, shown(item)))
	}
	return lines
}

// lacking are the items of a list that another lacks.
func lacking(list, in []any) []any {
	rest := slices.Clone(in)
	var out []any
	for _, item := range list {
		i := slices.IndexFunc(rest, func(other any) bool { return len(differences("", item, other)) == 0 })
		if i < 0 {
			out = append(out, item)
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return out
}

// same is whether two values that are not both objects or lists are the same.
func same(want, got any) bool {
	w, number := want.(json.Number)
	g, ok := got.(json.Number)
	if !number || !ok {
		return shown(want) == shown(got)
	}
	a, errA := w.Float64()
	b, errB := g.Float64()
	return w == g || errA == nil && errB == nil && a == b
}

func shown(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error() // a number that YAML has and JSON has not
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
