package docs

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

// TestRules compiles every line of a block of "cel TYPE" as the read rule of that type of the schema above it. After the
// type it says what is tested of the rules: nothing for that they compile; "impossible" for that they do not, because
// of what the comment in the next line says; "admits" or "refuses", with the claims of a caller or none, for what the
// claims alone decide.
func TestRules(t *testing.T) {
	ran := 0
	for _, file := range served.Must(filepath.Glob("../../docs/*.md"))(t) {
		sdl := ""
		for _, b := range blocks(read(t, file)) {
			kind, rest, _ := strings.Cut(b.info, " ")
			switch {
			case b.info == "graphql schema":
				sdl = b.text
			case kind == "cel":
				ran++
				t.Run(b.info, func(t *testing.T) { ruled(t, sdl, rest, strings.Split(strings.TrimSpace(b.text), "\n")) })
			}
		}
	}
	if ran == 0 {
		t.Fatal("no page has rules")
	}
}

func ruled(t *testing.T, sdl, info string, lines []string) {
	of, rest, _ := strings.Cut(info, " ")
	what, claims, _ := strings.Cut(rest, " ")
	for i, rule := range lines {
		if strings.HasPrefix(rule, "//") {
			continue
		}
		s := served.Must(schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl}))(t)
		s.Type(of).Rules.Read = schema.Expr{Text: rule}
		set, err := rules.Compile(s)
		switch {
		case what == "impossible":
			if reason := strings.TrimPrefix(lines[i+1], "// "); err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s: %v, and not %s", rule, err, reason)
			}
		case err != nil:
			t.Errorf("%s: %v", rule, err)
		case what != "":
			if got := decided(t, set, s.Type(of), claims); got != what {
				t.Errorf("%s %s %s", rule, got, claims)
			}
		}
	}
}

// decided is what the claims of a caller decide of reading a type; nobody asks without claims.
func decided(t *testing.T, set *rules.Set, of *schema.Type, claims string) string {
	t.Helper()
	c := &auth.Caller{Now: now, Claims: map[string]any{}}
	if claims != "" {
		decode(t, claims, &c.Claims)
		c.Claims["id"], c.SignedIn = c.Claims["sub"], true
	}
	n, err := set.Level(c, query.Read, query.Level{Type: of})
	switch {
	case err != nil:
		return "refuses"
	case n.Level().Where == nil:
		return "admits"
	}
	return fmt.Sprint("leaves ", n.Level().Where)
}
