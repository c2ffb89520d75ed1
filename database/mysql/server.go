package mysql

import (
	"fmt"
	"strconv"
	"strings"

	"spacecloud/database/driver"
	"spacecloud/fault"
)

// server is what a server is, and all that differs between MariaDB and MySQL.
type server struct {
	product   string
	mariadb   bool
	collation string // compares the bytes of a text, and does not pad
	sqlMode   string
}

// The least versions: MariaDB's with JSON_EQUALS, and MySQL's with what the tables need.
var (
	leastMariaDB = [3]int{10, 7, 0}
	leastMySQL   = [3]int{8, 0, 19}
)

const sqlMode = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO"

// serverOf reads a version, such as 10.11.19-MariaDB-0+deb12u1.
func serverOf(version string) (*server, error) {
	text, rest, _ := strings.Cut(strings.TrimPrefix(version, "5.5.5-"), "-")
	number := numberOf(text)
	least, s := leastMySQL, &server{product: "MySQL " + text, collation: "utf8mb4_0900_bin", sqlMode: sqlMode}
	switch {
	case strings.Contains(rest, "TiDB"):
		return nil, fault.New(fault.Invalid, "the server is TiDB, which has no JSON_TABLE; take MariaDB or MySQL")
	case strings.Contains(rest, "MariaDB"):
		// An update reads the old values of its row, whatever the order of what it sets.
		least, s = leastMariaDB, &server{product: "MariaDB " + text, mariadb: true, collation: "utf8mb4_nopad_bin", sqlMode: sqlMode + ",SIMULTANEOUS_ASSIGNMENT"}
	}
	for i, n := range number {
		if n != least[i] {
			if n < least[i] {
				return nil, driver.TooOld(s.product, fmt.Sprintf("%d.%d.%d", least[0], least[1], least[2]))
			}
			break
		}
	}
	return s, nil
}

func numberOf(text string) [3]int {
	var number [3]int
	for i, part := range strings.SplitN(text, ".", 3) {
		number[i], _ = strconv.Atoi(part)
	}
	return number
}

// settings are said to each connection.
func (s *server) settings() string {
	settings := fmt.Sprintf("SET NAMES utf8mb4 COLLATE %s, sql_mode = '%s', time_zone = '+00:00', group_concat_max_len = 1073741824", s.collation, s.sqlMode)
	if s.mariadb {
		// It makes some EXISTS that it is sent an IN with sub-queries on its left, and then refuses it as one
		// that it does not support.
		settings += ", default_regex_flags = '', optimizer_switch = 'exists_to_in=off'"
	}
	return settings
}

// canonical appends the function that writes a JSON document without spaces.
func (s *server) compact() string {
	if s.mariadb {
		return "JSON_COMPACT("
	}
	return "("
}

// matches appends whether a text matches a regular expression, with case.
func (s *server) matches() (before, between, after string) {
	if s.mariadb {
		return "", " REGEXP ", ""
	}
	return "REGEXP_LIKE(", ", ", ", 'c')"
}
