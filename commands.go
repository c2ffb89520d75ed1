package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"

	"spacecloud/auth"
	"spacecloud/config"
	"spacecloud/project"
	"spacecloud/schema"
)

// command is one thing that the program does.
type command struct {
	name  string // one word or two: migrate apply
	args  string // for the help
	about string
	flags func(*flag.FlagSet) // besides those of every command
	words int                 // how many words it takes besides the flags; -1 for any number
	// do has the settings in force, and as arguments the words that the flags have left.
	do func(context.Context, process, config.Config, *flag.FlagSet) error
}

var commands = []command{
	{"serve", "", "serve the schema folder (the default)", nil, 0, runServe},
	{"migrate plan", "", "print what would change in each database", nil, 0, migratePlan},
	{"migrate apply", "[--allow-destructive] [--keep]", "do it, under a lock", migrateFlags, 0, migrateApply},
	{"migrate down", "[--db NAME] [--allow-destructive] [--structure-only]", "undo the last migration of each database, or of one", downFlags, 0, migrateDown},
	{"migrate status", "", "print what was done, what others changed, and what is left to do", nil, 0, migrateStatus},
	{"schema check", "", "print all that is wrong with the schema", nil, 0, schemaCheck},
	{"schema pull", "--db NAME [--out FILE] [--overwrite]", "print the schema of a database that is there, or write it to a file", pullFlags, 0, schemaPull},
	{"schema print", "[--directives]", "print the API that follows from the schema, or the directives", printFlags, 0, schemaPrint},
	{"rules test", "[-v] [FILE…]", "run what *.rules.yaml say that callers may and may not do", rulesTestFlags, -1, rulesTest},
	{"rules explain", "--as JSON|--nobody REQUEST|--row TYPE:KEY [FIELD]", "tell which rules decide what a request or a row shows, and why", rulesExplainFlags, 1, rulesExplain},
	{"token", "--claims JSON [--ttl 1h]", "mint a token with the first key that can sign, in development with our own", tokenFlags, 0, token},
	{"config check", "", "print the settings in force, secrets masked", nil, 0, configCheck},
	{"init", "[DIR]", "write a starter folder that serves at once", nil, 0, nil},
	{"version", "", "print the version", nil, 0, nil},
}

// usage is a mistake in the command line: exit status 2.
type usage struct{ text string }

func (u usage) Error() string { return u.text }

// run does what the arguments say and returns the exit status: 0, 1 for a refusal with a line
// that says which, why and what to do, 2 for wrong usage.
func run(ctx context.Context, ps process) int {
	err := dispatch(ctx, ps)
	var wrong usage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(ps.err, "spacecloud: %s\n", wrong.text)
		return 2
	}
	fmt.Fprintf(ps.err, "spacecloud: %s\n", project.Explain(err))
	return 1
}

func dispatch(ctx context.Context, ps process) error {
	name, rest := split(ps.args)
	ps.args = rest
	switch name {
	case "help", "--help", "-h":
		fmt.Fprint(ps.out, help())
		return nil
	case "version", "--version":
		if len(ps.args) > 0 {
			return usage{"`spacecloud version` takes nothing more"}
		}
		fmt.Fprintln(ps.out, "spacecloud", version())
		return nil
	case "init":
		return initialise(ps)
	}
	for _, c := range commands {
		if c.name == name && c.do != nil {
			return c.run(ctx, ps)
		}
	}
	if group := members(name); len(group) > 0 {
		return inGroup(ps, name, group)
	}
	return usage{unknown(name)}
}

// members are the commands of a group: plan, apply and status of migrate.
func members(group string) []command {
	var out []command
	for _, c := range commands {
		if strings.HasPrefix(c.name, group+" ") {
			out = append(out, c)
		}
	}
	return out
}

// inGroup lists the commands of a group, to who asks for help or names none of them.
func inGroup(ps process, name string, group []command) error {
	if len(ps.args) > 0 && (ps.args[0] == "--help" || ps.args[0] == "-h") {
		fmt.Fprint(ps.out, list(group))
		return nil
	}
	return usage{fmt.Sprintf("say what to %s:\n%s", name, list(group))}
}

func list(cs []command) string {
	var b strings.Builder
	for _, c := range cs {
		fmt.Fprintf(&b, "  spacecloud %-45s %s\n", strings.TrimSpace(c.name+" "+c.args), c.about)
	}
	return b.String()
}

// split takes the command's name off the arguments: one word, or two where the first alone
// is none.
func split(args []string) (name string, rest []string) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && args[0] != "--help" && args[0] != "-h" && args[0] != "--version" {
		return "serve", args
	}
	for _, c := range commands {
		if first, _, two := strings.Cut(c.name, " "); two && first == args[0] && len(args) > 1 && !strings.HasPrefix(args[1], "-") {
			return args[0] + " " + args[1], args[2:]
		}
	}
	return args[0], args[1:]
}

func unknown(name string) string {
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.name
	}
	near := slices.MinFunc(names, func(a, b string) int {
		return cmp.Compare(levenshtein.ComputeDistance(name, a), levenshtein.ComputeDistance(name, b))
	})
	if levenshtein.ComputeDistance(name, near) <= max(2, len(name)/3) {
		return fmt.Sprintf("there is no command %q; did you mean %q? `spacecloud help` lists them", name, near)
	}
	return fmt.Sprintf("there is no command %q; `spacecloud help` lists them", name)
}

// run reads the flags and settings and does the command.
func (c command) run(ctx context.Context, ps process) error {
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	config.Flags(set)
	if c.flags != nil {
		c.flags(set)
	}
	words, err := c.parse(set, ps.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(ps.out, c.help(set))
		return nil
	case err != nil:
		return usage{fmt.Sprintf("%v (`spacecloud %s --help` lists the flags)", err, c.name)}
	case c.words >= 0 && len(words) > c.words:
		return usage{fmt.Sprintf("%q is one word too many for `spacecloud %s`", words[c.words], c.name)}
	}
	settings, err := config.Load(set, ps.environ)
	if err != nil {
		return err
	}
	ps.args = words
	return c.do(ctx, ps, settings, set)
}

// parse reads the flags, which may stand before and behind the words that the command takes.
func (c command) parse(set *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := config.Parse(set, args); err != nil || set.NArg() == 0 {
			return words, err
		}
		words, args = append(words, set.Arg(0)), set.Args()[1:]
	}
}

func (c command) help(set *flag.FlagSet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "spacecloud %s %s\n\n%s.\n\n", c.name, c.args, c.about)
	set.SetOutput(&b)
	set.PrintDefaults()
	return b.String()
}

func help() string {
	var b strings.Builder
	b.WriteString("Space Cloud: the schema file is the backend.\n\n" + list(commands))
	b.WriteString("\nEvery command takes --schema DIR, --config FILE, --listen ADDR, --data DIR, --production and --trusted-documents DIR;\n`spacecloud COMMAND --help` says more.\n")
	return b.String()
}

func runServe(ctx context.Context, ps process, c config.Config, _ *flag.FlagSet) error {
	if err := c.Validate(); err != nil {
		return err
	}
	return serve(ctx, ps, c)
}

func schemaCheck(_ context.Context, ps process, c config.Config, _ *flag.FlagSet) error {
	s, warnings, err := project.Read(c.Schema)
	if err != nil {
		return err
	}
	if err := project.CheckTrusted(c); err != nil {
		return err
	}
	for _, w := range warnings {
		fmt.Fprintln(ps.out, project.Warning(w))
	}
	fmt.Fprintf(ps.out, "%s is right: %d types in %s\n", c.Schema, len(s.Types)+len(s.Values), strings.Join(s.Databases(), ", "))
	return nil
}

func printFlags(set *flag.FlagSet) {
	set.Bool("directives", false, "print the directives of the schema language instead, for editors")
}

func schemaPrint(_ context.Context, ps process, c config.Config, set *flag.FlagSet) error {
	text := schema.Directives()
	if set.Lookup("directives").Value.String() != "true" {
		var err error
		if text, err = project.API(c); err != nil {
			return err
		}
	}
	fmt.Fprint(ps.out, text)
	return nil
}

func tokenFlags(set *flag.FlagSet) {
	set.String("claims", "", "the claims as a `JSON` object; sub is who it is")
	set.Duration("ttl", time.Hour, "how long it is good for; 0 is for ever")
}

func token(_ context.Context, ps process, c config.Config, set *flag.FlagSet) error {
	var claims map[string]any
	text := set.Lookup("claims").Value.String()
	if err := json.Unmarshal([]byte(text), &claims); err != nil || claims == nil {
		return usage{fmt.Sprintf(`--claims wants a JSON object, such as '{"sub": "ann"}', not %q`, text)}
	}
	ttl, err := time.ParseDuration(set.Lookup("ttl").Value.String())
	if err != nil || ttl < 0 {
		return usage{"--ttl wants a duration that is not negative, such as 1h"}
	}
	key, err := project.SigningKey(c)
	if err != nil {
		return err
	}
	signed, err := auth.Mint(key, claims, ttl)
	if err != nil {
		return err
	}
	fmt.Fprintln(ps.out, signed)
	return nil
}

func configCheck(_ context.Context, ps process, c config.Config, _ *flag.FlagSet) error {
	if err := c.Print(ps.out); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	_, err := project.Auth(c)
	return err
}

// version is that of the build: a tag, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision := ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value[:min(12, len(s.Value))]
		}
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return cmp.Or(revision, "development")
}

// initialise takes no settings: there are none yet.
func initialise(ps process) error {
	folder := "."
	switch {
	case len(ps.args) == 1 && (ps.args[0] == "--help" || ps.args[0] == "-h"):
		fmt.Fprint(ps.out, "spacecloud init [DIR]\n\nwrite a starter folder that serves at once: a schema, a seed and settings with comments.\n")
		return nil
	case len(ps.args) > 1 || len(ps.args) == 1 && strings.HasPrefix(ps.args[0], "-"):
		return usage{"`spacecloud init [DIR]` takes one folder"}
	case len(ps.args) == 1:
		folder = ps.args[0]
	}
	files, err := project.Initialise(folder)
	if err != nil {
		return err
	}
	fmt.Fprintf(ps.out, "wrote %s in %s\n", strings.Join(files, ", "), folder)
	if folder != "." {
		fmt.Fprintf(ps.out, "next: cd %s && spacecloud\n", folder)
	} else {
		fmt.Fprintln(ps.out, "next: spacecloud")
	}
	return nil
}
