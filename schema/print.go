package schema

import (
	"fmt"
	"strings"
)

// String is a compact, complete and deterministic print of the model, for tests and for eyes.
func (s *Schema) String() string {
	var b strings.Builder
	for _, t := range s.Types {
		t.print(&b)
	}
	for _, t := range s.Values {
		t.print(&b)
	}
	for _, e := range s.Enums {
		fmt.Fprintf(&b, "enum %s %s\n", e.Name, strings.Join(e.names(), " "))
	}
	for _, d := range s.Declared {
		fmt.Fprintf(&b, "@%s on %s", d.Directive, d.On)
		for _, k := range sortedKeys(d.Args) {
			fmt.Fprintf(&b, " %s=%v", k, d.Args[k])
		}
		if d.Signature != "" {
			b.WriteString(": " + d.Signature)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (e *Enum) names() []string {
	names := make([]string, len(e.Values))
	for i, v := range e.Values {
		names[i] = v.Name
	}
	return names
}

func (t *Type) print(b *strings.Builder) {
	if t.Kind == Embed {
		fmt.Fprintf(b, "value %s\n", t.Name)
	} else {
		fmt.Fprintf(b, "%s %s = %s.%s", t.Kind, t.Name, t.DB, t.Table)
		if t.Owned {
			b.WriteString(", owned")
		} else {
			fmt.Fprintf(b, ", api %s %s", t.Single, t.Plural)
		}
		b.WriteString("\n")
	}
	line := func(format string, args ...any) { fmt.Fprintf(b, "  "+format+"\n", args...) }
	if t.Description != "" && !t.Owned {
		line("# %s", strings.ReplaceAll(t.Description, "\n", " "))
	}
	if t.SQL != "" {
		line("sql %q", t.SQL)
	}
	if t.Renamed != "" {
		line("was %s", t.Renamed)
	}
	for _, f := range t.Fields {
		line("%s", f.print())
	}
	for _, u := range t.Uniques {
		line("unique %s", u.print())
	}
	for _, ix := range t.Indexes {
		line("index %s", ix.print())
	}
	for _, c := range t.Checks {
		line("check %q %q", c.Rule.Text, c.Message)
	}
	for _, r := range t.Rules.list() {
		line("auth %s", r)
	}
}

func (ix Index) print() string {
	var parts []string
	for _, f := range ix.Fields {
		name := f.Field.Name
		if f.Desc {
			name = "-" + name
		}
		parts = append(parts, name)
	}
	out := ix.Name + "(" + strings.Join(parts, ", ") + ")"
	if ix.Where != "" {
		out += " where " + ix.Where
	}
	return out
}

func (r Rules) list() (out []string) {
	for _, v := range []struct {
		verb string
		rule Expr
	}{{"read", r.Read}, {"create", r.Create}, {"update", r.Update}, {"delete", r.Delete}} {
		if v.rule.Text != "" {
			out = append(out, fmt.Sprintf("%s %q", v.verb, v.rule.Text))
		}
	}
	return out
}

// TypeText is the field's type as the SDL has it.
func (f *Field) TypeText() string {
	var name string
	bang := map[bool]string{true: "!"}
	switch {
	case f.IsLink() && f.Link.Many:
		return "[" + f.Link.Target.Name + "!]!"
	case f.IsLink():
		name = f.Link.Target.Name
	case f.List:
		name = "[" + scalarName(f) + bang[!f.ElemNull] + "]"
	default:
		name = scalarName(f)
	}
	return name + bang[f.NonNull]
}

func (f *Field) print() string {
	out := f.Name + ": " + f.TypeText()
	add := func(yes bool, text string) {
		if yes {
			out += ", " + text
		}
	}
	if f.IsLink() {
		out += ", " + f.Link.print()
	}
	add(!f.IsLink() && f.Owner.Kind != Embed && f.Column != f.Name, "column "+f.Column)
	add(f.Native != "", "native "+f.Native)
	add(f.IsPrimary, "primary")
	add(f.AutoIncrement, "autoIncrement")
	add(f.integer, "integer")
	add(f.Inferred, "inferred")
	add(f.IsUnique, "unique")
	add(f.IsIndexed, "indexed")
	add(f.CreatedAt, "createdAt")
	add(f.UpdatedAt, "updatedAt")
	add(f.IsVersion, "version")
	add(f.Hidden, "hidden")
	add(f.Search, "search")
	if f.Default != nil {
		out += ", default " + f.Default.String()
	}
	add(f.DefaultExpr.Text != "", fmt.Sprintf("default expr %q", f.DefaultExpr.Text))
	add(f.DefaultSQL != "", fmt.Sprintf("default sql %q", f.DefaultSQL))
	if f.Size != nil {
		out += ", " + f.Size.print("size")
	}
	if f.Range != nil {
		out += ", " + f.Range.print("range")
	}
	add(f.Match != "", fmt.Sprintf("match %q", f.Match))
	add(f.Format != "", "format "+f.Format)
	add(f.Scalar == Decimal, fmt.Sprintf("decimal(%d, %d)", f.Precision, f.Scale))
	add(f.Renamed != "", "was "+f.Renamed)
	var outSb162 strings.Builder
	for _, r := range f.Rules.list() {
		outSb162.WriteString(", auth " + r)
	}
	out += outSb162.String()
	add(f.Description != "" && !f.Inferred, "# "+strings.ReplaceAll(f.Description, "\n", " "))
	return out
}

func (b Bounds) print(name string) string {
	var parts []string
	if b.Min != "" {
		parts = append(parts, "min: "+b.Min)
	}
	if b.Max != "" {
		parts = append(parts, "max: "+b.Max)
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

func (l *Link) print() string {
	tuple := func(fs []*Field) string { return strings.Join(fieldNames(fs), " ") }
	out := "link " + tuple(l.From) + " = "
	if l.Through != nil {
		out += l.Through.Name + "(" + tuple(l.ThroughFrom) + ", " + tuple(l.ThroughTo) + ") = "
	}
	out += l.Target.Name + "(" + tuple(l.To) + ")"
	if l.Owns {
		out += ", owns"
	}
	if l.Enforced {
		out += ", enforced"
	}
	if l.OnDelete != Restrict {
		out += map[OnDelete]string{Cascade: ", cascade", SetNull: ", set null"}[l.OnDelete]
	}
	if l.Inverse != nil {
		out += ", inverse " + l.Inverse.Name
	}
	return out
}
