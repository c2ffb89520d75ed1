package config

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	prefix     = "SPACECLOUD_"
	configFile = prefix + "CONFIG" // names the file, so it has no key in it
)

// injected are the variables that Kubernetes and Docker links make for a service that is
// itself called spacecloud; they set nothing.
var injected = regexp.MustCompile(`^SPACECLOUD_(NAME|SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP|SCTP)(_.*)?)?)$`)

// readEnvironment is what vars set. A variable that is empty sets nothing. The given settings
// tell how names that are already known are written.
func readEnvironment(vars map[string]string, given []setting) ([]setting, Problems) {
	var settings []setting
	var problems Problems
	for _, variable := range variables(vars) {
		words := strings.Split(strings.TrimPrefix(variable, prefix), "_")
		p, t := resolve(reflect.TypeFor[Config](), words, nil)
		switch {
		case t == nil:
			problems.addf(variable, "is not a setting; %s", suggest(variable, known(given)))
		case later(p) != nil:
			problems.addf(variable, "%s is not served yet; take it out", later(p))
		default:
			settings = append(settings, setting{as(p, given), split(t, vars[variable]), variable})
		}
	}
	return settings, problems
}

// variables are the names in vars that are for us, in order.
func variables(vars map[string]string) []string {
	var names []string
	for each, value := range vars {
		if strings.HasPrefix(each, prefix) && value != "" && each != configFile && !injected.MatchString(each) {
			names = append(names, each)
		}
	}
	slices.Sort(names)
	return names
}

// resolve is the path that words spell below t, and the type of the setting there; a nil type
// when they spell none. A name may hold underscores, so the longest that leaves a key is it.
func resolve(t reflect.Type, words []string, p path) (path, reflect.Type) {
	switch {
	case isSetting(t):
		if len(words) == 0 {
			return p, t
		}
		return nil, nil
	case len(words) == 0:
		return nil, nil
	case t.Kind() == reflect.Struct:
		f, ok := field(t, strings.ToLower(words[0]))
		if !ok || words[0] != strings.ToUpper(words[0]) {
			return nil, nil
		}
		return resolve(f.Type, words[1:], p.then(strings.ToLower(words[0])))
	case t.Kind() == reflect.Map:
		return resolveNamed(t, words, p)
	default:
		if _, err := strconv.Atoi(words[0]); err != nil {
			return nil, nil
		}
		return resolve(t.Elem(), words[1:], p.then(words[0]))
	}
}

func resolveNamed(t reflect.Type, words []string, p path) (path, reflect.Type) {
	for n := len(words); n > 0; n-- {
		entry := strings.ToLower(strings.Join(words[:n], "_"))
		if !name.MatchString(entry) {
			continue
		}
		if found, leaf := resolve(t.Elem(), words[n:], p.then(entry)); leaf != nil {
			return found, leaf
		}
	}
	return nil, nil
}

// as is p with its names as given spells them: capitals are lost in a variable.
func as(p path, given []setting) path {
	spelled := slices.Clone(p)
	for i := range p {
		for _, each := range given {
			if len(each.path) > i && strings.EqualFold(each.path[:i+1].String(), p[:i+1].String()) {
				spelled[i] = each.path[i]
			}
		}
	}
	return spelled
}

// split is the texts of a variable for a setting of type t: a list has commas.
func split(t reflect.Type, text string) []string {
	if !isList(t) {
		return []string{text}
	}
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// known are the variables that could be meant: those of every setting there is, with the
// names that are given.
func known(given []setting) []string {
	names := []string{configFile}
	collect(reflect.TypeFor[Config](), nil, &names)
	for _, each := range given {
		if v := variable(each.path); !slices.Contains(names, v) {
			names = append(names, v)
		}
	}
	return names
}

// collect appends the variables of the settings below t. Entries by name go by main, which
// is what a database is called unless there are several.
func collect(t reflect.Type, p path, names *[]string) {
	switch {
	case later(p) != nil:
	case isSetting(t):
		*names = append(*names, variable(p))
	case t.Kind() == reflect.Struct:
		for _, key := range keys(t) {
			f, _ := field(t, key)
			collect(f.Type, p.then(key), names)
		}
	case t.Kind() == reflect.Map:
		collect(t.Elem(), p.then("main"), names)
	default:
		collect(t.Elem(), p.then("0"), names)
	}
}

// variable is the environment variable of the setting at p.
func variable(p path) string {
	return prefix + strings.ToUpper(strings.Join(p, "_"))
}
