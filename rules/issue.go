package rules

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
)

// plainIssue is what CEL's parser or checker says of an expression, in the words of a rule.
func plainIssue(expression string, issue *cel.Error) string {
	text := issue.Message
	switch {
	case strings.HasPrefix(text, "expression recursion limit"):
		return fmt.Sprintf("a rule is nested at most %d deep; put parts of it beside each other", mostNested)
	case strings.HasPrefix(text, "expression code point size"):
		return fmt.Sprintf("a rule has at most %d characters, and this one %d", mostCharacters, utf8.RuneCountInString(expression))
	}
	if m := unknownName.FindStringSubmatch(text); m != nil && m[1] != "exists" && isCall(expression, issue.Location) {
		return "there is no function " + m[1]
	} else if m != nil {
		return unknown(m[1])
	}
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return "there is no field " + m[1]
	}
	if m := badOverload.FindStringSubmatch(text); m != nil && m[1] == "call" {
		return `call takes a service, a function and its arguments: call("billing", "mayRefund", {"team": auth.team})`
	} else if m != nil {
		return operatorName(m[1]) + " does not take " + plainType(m[2])
	}
	return plainType(text)
}

// isUnknown is whether CEL says that a schema lacks a name.
func isUnknown(text string) bool {
	return unknownName.MatchString(text) || unknownField.MatchString(text) || strings.HasPrefix(text, noTable)
}

// isCall is whether a bracket opens at a place.
func isCall(expression string, at common.Location) bool {
	lines := strings.Split(expression, "\n")
	if at.Line() > len(lines) {
		return false
	}
	line := []rune(lines[at.Line()-1])
	return at.Column() < len(line) && line[at.Column()] == '('
}

// plainSyntax is what CEL's parser says, and the mistake that is made most.
func plainSyntax(text, message string) string {
	if single.MatchString(text) {
		return "write == to compare"
	}
	message, _, _ = strings.Cut(message, " expecting ")
	if strings.HasSuffix(message, "'<EOF>'") {
		return "it ends where something should follow"
	}
	return message
}

var (
	single       = regexp.MustCompile(`[^=!<>]=[^=]`)
	unknownName  = regexp.MustCompile(`^undeclared reference to '(.*)' \(in container '.*'\)$`)
	unknownField = regexp.MustCompile(`^undefined field '(.*)'$`)
	badOverload  = regexp.MustCompile(`^found no matching overload for '(.*)' applied to '(.*)'$`)
	wrapper      = regexp.MustCompile(`wrapper\((\w+)\)`)
)

func unknown(name string) string {
	switch name {
	case "args", "params":
		return name + " is not served in rules yet"
	case "exists":
		return "exists takes a type, a name and a condition: exists(Membership, m, m.userId == auth.id)"
	}
	return name + " is unknown; a rule knows doc, auth, now, request and exists(Type, x, …)"
}

// operatorName is _==_ as it is written.
func operatorName(name string) string {
	return strings.Trim(strings.TrimPrefix(name, "@"), "_")
}

// plainType drops what only CEL's own readers want to know: that null is allowed.
func plainType(text string) string {
	text = wrapper.ReplaceAllString(text, "$1")
	return strings.ReplaceAll(text, "google.protobuf.Timestamp", "timestamp")
}
