package config

import (
	"errors"
	"flag"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// The defaults that the flags' help shows as well.
const (
	defaultFile   = "spacecloud.yaml"
	defaultListen = "127.0.0.1:4122"
	defaultSchema = "schema"
	defaultData   = "data"
)

// byDefault are the settings before anybody gave any. What depends on others is in complete.
var byDefault = []setting{
	standard("listen", defaultListen),
	standard("schema", defaultSchema),
	standard("data", defaultData),
	standard("production", "false"),
	{path: path{"origins"}, place: isDefault},
	{path: path{"proxies"}, place: isDefault},
	standard("auth.claims.id", "sub"),
	standard("limits.depth", "12"),
	standard("limits.complexity", "10000"),
	standard("limits.aliases", "50"),
	standard("limits.tokens", "5000"),
	standard("limits.body", "1MiB"),
	standard("limits.rows", "1000"),
	standard("limits.keys", "10000"),
	standard("limits.live", "100"),
	standard("limits.timeout", "10s"),
	standard("limits.sockets", "100"),
	standard("limits.operations", "100"),
}

const isDefault = "default"

func standard(at, text string) setting {
	return setting{path: strings.Split(at, "."), texts: []string{text}, place: isDefault}
}

// Flags adds the flags that every command about a deployment takes to set. Load reads them.
func Flags(set *flag.FlagSet) {
	set.String("schema", defaultSchema, "the `folder` with the *.graphql files")
	set.String("config", defaultFile, "the settings `file`; the default one need not exist")
	set.String("listen", defaultListen, "the `address` of the API and the console")
	set.String("data", defaultData, "the `folder` for what the process itself keeps")
	set.String("trusted-documents", "", "serve only the documents in this `folder`, by their SHA-256")
	set.Bool("production", false, "require secrets and keys, migrate only by the command migrate")
}

// Parse is set.Parse with a suggestion for a flag that is not there, and without its output:
// the caller prints the error. flag.ErrHelp means that help was asked for.
func Parse(set *flag.FlagSet, args []string) error {
	set.Init(set.Name(), flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	err := set.Parse(args)
	if err == nil {
		return nil
	}
	unknown, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return err
	}
	var names []string
	set.VisitAll(func(f *flag.Flag) { names = append(names, "--"+f.Name) })
	return errors.New("--" + unknown + " is not a flag of this command; " + suggest("--"+unknown, names))
}

// Load is the settings in force: flags that were given win, then the environment (as
// os.Environ gives it), then the file, then the defaults. Flags and Parse must have had set
// before. The error is Problems, all that were found; the settings are then not to be used.
func Load(set *flag.FlagSet, environ []string) (Config, error) {
	l := loader{vars: environment(environ)}
	l.file(set)
	l.environment()
	l.flags(set)
	c := l.config()
	return c, l.problems.err()
}

// loader gathers settings, the weakest first.
type loader struct {
	vars     map[string]string
	read     string // the file that was read
	given    []setting
	problems Problems
}

func (l *loader) add(settings []setting, problems Problems) {
	l.given = append(l.given, settings...)
	l.problems = append(l.problems, problems...)
}

func (l *loader) file(set *flag.FlagSet) {
	name, asked := defaultFile, false
	if v := l.vars[configFile]; v != "" {
		name, asked = v, true
	}
	for _, f := range given(set) {
		if f.Name == "config" {
			name, asked = f.Value.String(), true
		}
	}
	text, exists, err := readFile(name, asked)
	if err != nil {
		l.problems.addf(name, "the settings file cannot be read: %v", cause(err))
	}
	if exists {
		l.read = name
		l.add(readSettings(filepath.ToSlash(name), text, l.vars))
	}
}

func (l *loader) environment() {
	l.add(readEnvironment(l.vars, slices.Concat(byDefault, l.given)))
}

// flags adds the flags that were given. Those without a key, such as another command's own,
// are not settings.
func (l *loader) flags(set *flag.FlagSet) {
	for _, f := range given(set) {
		words := strings.Split(strings.ToUpper(f.Name), "-")
		if at, leaf := resolve(reflect.TypeFor[Config](), words, nil); leaf != nil {
			l.given = append(l.given, setting{at, []string{f.Value.String()}, "--" + f.Name})
		}
	}
}

// config is the settings gathered, over the defaults.
func (l *loader) config() Config {
	c := Config{File: l.read, from: map[string]string{}}
	for _, each := range slices.Concat(byDefault, l.given) {
		err := assign(reflect.ValueOf(&c).Elem(), each.path, each.texts)
		if err != nil {
			l.problems.addf(each.place, "%s %v", each.path, err)
		}
		c.from[each.path.String()] = each.place
	}
	complete(&c)
	return c
}

// complete sets what was not given and depends on what was.
func complete(c *Config) {
	if _, set := c.from["introspection"]; !set {
		c.Introspection = !c.Production
		c.from["introspection"] = isDefault
	}
	if len(c.Databases) == 0 {
		c.Databases = map[string]Database{"main": {URL: URL("sqlite:" + filepath.Join(c.Data, "main.db"))}}
		c.from["databases.main.url"] = isDefault
	}
}

// given are the flags that the command line has.
func given(set *flag.FlagSet) []*flag.Flag {
	var flags []*flag.Flag
	set.Visit(func(f *flag.Flag) { flags = append(flags, f) })
	return flags
}

// cause is err without the name of the file, which the message has already.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}
