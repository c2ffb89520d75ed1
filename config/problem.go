package config

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Problem is one thing that is wrong with the settings, and what to do.
type Problem struct {
	Place string // file:line:column, an environment variable, a flag, or the setting's path
	Text  string
}

// Problems is everything that is wrong, a line each. It is the error of Load and Validate.
type Problems []Problem

// Error is a line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, each := range p {
		lines[i] = each.Place + ": " + each.Text
	}
	return strings.Join(lines, "\n")
}

// err is the problems as an error, nil where there are none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func (p *Problems) addf(place, format string, args ...any) {
	*p = append(*p, Problem{Place: place, Text: fmt.Sprintf(format, args...)})
}

// suggest ends a message about an unknown name: the nearest of names, or all of a few.
func suggest(name string, names []string) string {
	best, least := "", 1+max(2, len(name)/4)
	for _, each := range names {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(each)); d < least {
			best, least = each, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	const few = 16
	if len(names) > few {
		return "`spacecloud config check` prints those there are"
	}
	return "there are " + strings.Join(names, ", ")
}
