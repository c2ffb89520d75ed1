package pubsub

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"spacecloud/fault"
)

// maxSubject is the longest subject in bytes: far below what a line to the server may have.
const maxSubject = 1024

// checkSubject is whether a subject is names with dots between them, so that none leads
// elsewhere. With wild, * stands for any name, and > at the end for one or more.
func checkSubject(subject string, wild bool) error {
	if len(subject) > maxSubject || !utf8.ValidString(subject) {
		return fault.New(fault.Invalid, "a subject is text of at most %d bytes", maxSubject)
	}
	names := strings.Split(subject, ".")
	for i, name := range names {
		switch {
		case wild && (name == "*" || name == ">" && i == len(names)-1):
		case name == "" || strings.ContainsFunc(name, isForbidden):
			return fault.New(fault.Invalid, "%q is no subject", subject)
		}
	}
	return nil
}

func isForbidden(r rune) bool {
	return r == '*' || r == '>' || unicode.IsSpace(r) || unicode.IsControl(r)
}

// plainName is what streams and leases may be called.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func checkName(name string) error {
	if !plainName.MatchString(name) {
		return fault.New(fault.Invalid, "%q is no name: it wants letters of ASCII, digits, _ and -", name)
	}
	return nil
}
