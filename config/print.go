package config

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// plain are texts that YAML reads as they stand, even in a list; others are quoted.
var plain = regexp.MustCompile(`^[A-Za-z0-9/]([A-Za-z0-9_./:@?=&*+-]*[A-Za-z0-9_./*+-])?$`)

// Print writes the settings in force as YAML, secrets masked, each with where it came from.
// What is not set and has no default is left out.
func (c Config) Print(w io.Writer) error {
	p := printer{from: c.from}
	p.value(reflect.ValueOf(c), nil)
	var text strings.Builder
	fmt.Fprintf(&text, "# Flags win, then the environment, then %s.\n", cmp.Or(c.File, "the file (there is none)"))
	width := 0
	for _, each := range p.lines {
		width = max(width, len(each.text))
	}
	for _, each := range p.lines {
		if each.from != "" {
			each.text = fmt.Sprintf("%-*s  # %s", min(width, 60), each.text, each.from)
		}
		text.WriteString(each.text + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

type printer struct {
	from  map[string]string
	last  path // of the setting written last
	lines []line
}

// line is a line of YAML, and where its value came from.
type line struct{ text, from string }

// value writes every setting at p or below it; v is what stands there.
func (w *printer) value(v reflect.Value, p path) {
	switch {
	case isSetting(v.Type()):
		from, given := w.from[p.String()]
		if given || !v.IsZero() {
			w.setting(p, spell(v), from)
		}
	case v.Kind() == reflect.Struct:
		for _, key := range keys(v.Type()) {
			f, _ := field(v.Type(), key)
			w.value(v.FieldByIndex(f.Index), p.then(key))
		}
	case v.Kind() == reflect.Map:
		names := v.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, each := range names {
			w.value(v.MapIndex(each), p.then(each.String()))
		}
	default:
		for i := range v.Len() {
			w.value(v.Index(i), p.then(strconv.Itoa(i)))
		}
	}
}

// setting writes one value, after the keys above it that are not written yet.
func (w *printer) setting(p path, text, from string) {
	shared := 0
	for shared < min(len(p), len(w.last)) && p[shared] == w.last[shared] {
		shared++
	}
	dash := false
	for i := shared; i < len(p); i++ {
		if isNumber(p[i]) {
			dash = true // goes before the key that follows
			continue
		}
		l := line{text: strings.Repeat("  ", i) + p[i] + ":"}
		if dash {
			l.text = strings.Repeat("  ", i-1) + "- " + p[i] + ":"
			dash = false
		}
		if i == len(p)-1 {
			l = line{l.text + " " + text, from}
		}
		w.lines = append(w.lines, l)
	}
	w.last = p
}

func isNumber(step string) bool { return step[0] >= '0' && step[0] <= '9' }

// spell is a setting's value as YAML, masked where it is secret.
func spell(v reflect.Value) string {
	list, ok := reflect.TypeAssert[[]string](v)
	if !ok {
		return quote(fmt.Sprint(v.Interface()))
	}
	items := make([]string, len(list))
	for i, each := range list {
		items[i] = quote(each)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// quote is text as Load reads it back.
func quote(text string) string {
	if plain.MatchString(text) && !strings.EqualFold(text, "null") {
		return text
	}
	return strconv.Quote(text)
}
