package mysql

import (
	"fmt"

	"spacecloud/database/sqlgen"
)

// regexps are those of MariaDB (PCRE) and MySQL (ICU).
var regexps = sqlgen.NewRegexps(sqlgen.Spelling{
	Nothing: `(?!)`, Any: `[\x{0}-\x{10FFFF}]`, End: `\z`,
	Escape: func(r rune) string { return fmt.Sprintf(`\x{%X}`, r) },
})
