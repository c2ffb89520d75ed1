package postgres

import (
	"fmt"

	"spacecloud/database/sqlgen"
	"spacecloud/fault"
)

// regexps are those of PostgreSQL, whose texts have no NUL.
var regexps = sqlgen.NewRegexps(sqlgen.Spelling{
	Nothing: `(?:\Z[\u0001-\U0010FFFF])`, Any: `[\u0001-\U0010FFFF]`, End: `\Z`, Least: 1,
	Escape: func(r rune) string {
		if r > 0xffff {
			return fmt.Sprintf(`\U%08X`, r)
		}
		return fmt.Sprintf(`\u%04X`, r)
	},
})

// most is how often something may be repeated.
const most = 255

// translate is an expression of RE2 as PostgreSQL writes it.
func translate(pattern string) (string, error) {
	text, repeats := regexps.Translate(pattern)
	if repeats > most {
		return "", fault.New(fault.Invalid, "a regular expression repeats something more than %d times, which PostgreSQL does not", most)
	}
	return text, nil
}
