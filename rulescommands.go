package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"spacecloud/config"
	"spacecloud/fault"
	"spacecloud/graph"
	"spacecloud/project"
	"spacecloud/project/cases"
)

func rulesTestFlags(set *flag.FlagSet) {
	set.Bool("v", false, "list the tests that pass, too")
}

// rulesTest runs files of cases. What fails is told in lines, and all of it fails then.
func rulesTest(ctx context.Context, ps process, c config.Config, set *flag.FlagSet) error {
	files, err := caseFiles(ps, c)
	if err != nil {
		return err
	}
	l := c.Limits
	o := cases.Options{Schema: c.Schema, Claims: c.Auth.Claims, Limits: graph.Limits{
		Depth: l.Depth, Complexity: l.Complexity, Aliases: l.Aliases, Tokens: l.Tokens, Body: int(l.Body), Timeout: l.Timeout,
	}}
	passed, failed := 0, 0
	for _, name := range files {
		p, f, err := runCases(ctx, ps, name, o, set.Lookup("v").Value.String() == "true")
		if err != nil {
			fmt.Fprintf(ps.out, "FAIL  %s cannot be run:\n%s\n", name, project.Explain(err))
			f = 1
		}
		passed, failed = passed+p, failed+f
	}
	if failed > 0 {
		return fault.New(fault.Invalid, "%d of %d rules tests failed", failed, passed+failed)
	}
	fmt.Fprintf(ps.out, "%d rules tests passed, in %s\n", passed, counted(len(files), "file"))
	return nil
}

// runCases runs one file and tells of its cases.
func runCases(ctx context.Context, ps process, name string, o cases.Options, all bool) (passed, failed int, err error) {
	file, err := cases.Read(name)
	if err != nil {
		return 0, 0, err
	}
	results, err := file.Run(ctx, o)
	for _, r := range results {
		if r.Problem != "" || all {
			fmt.Fprint(ps.out, r)
		}
		if r.Problem != "" {
			failed++
		} else {
			passed++
		}
	}
	return passed, failed, err
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// caseFiles are the files that are named, or else those below the schema folder, or without any
// there those below the working folder. Where they were found is said.
func caseFiles(ps process, c config.Config) ([]string, error) {
	if len(ps.args) > 0 {
		return ps.args, nil
	}
	for _, folder := range []string{c.Schema, "."} {
		files, err := cases.Find(folder)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fault.Wrap(fault.Invalid, err, "%s cannot be searched", folder)
		}
		if len(files) > 0 {
			fmt.Fprintf(ps.out, "%s below %s\n", counted(len(files), "*"+cases.Suffix), folder)
			return files, nil
		}
	}
	return nil, fault.New(fault.Invalid, "there is no *%s below %s or the working folder; name a file, or write one", cases.Suffix, c.Schema)
}

func rulesExplainFlags(set *flag.FlagSet) {
	set.String("as", "", "the claims of who asks, as a `JSON` object")
	set.Bool("nobody", false, "somebody without a token asks")
	set.String("variables", "", "those of the request, as a `JSON` object")
	set.String("row", "", "explain a stored row instead, by its type and primary key: `TYPE:KEY`")
}

// rulesExplain tells what the rules make of a request, or say of a row. It changes nothing.
func rulesExplain(ctx context.Context, ps process, c config.Config, set *flag.FlagSet) (err error) {
	flag := func(name string) string { return set.Lookup(name).Value.String() }
	if (flag("as") == "") != (flag("nobody") == "true") {
		return usage{`say who asks: either --as '{"sub": "ann"}' or --nobody`}
	}
	claims, err := object(flag("as"), "--as")
	if err != nil {
		return err
	}
	variables, err := object(flag("variables"), "--variables")
	if err != nil {
		return err
	}
	if flag("row") == "" && len(ps.args) == 0 {
		return usage{"say what to explain: a request such as '{ posts { id } }', or --row TYPE:KEY and perhaps a field"}
	}
	p, err := project.Open(ctx, project.Config{Settings: c, Drivers: drivers, Version: version(), Log: logger(ps)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	var text string
	if row := flag("row"); row != "" {
		text, err = p.ExplainRow(ctx, p.Claimed(claims), row, strings.Join(ps.args, ""))
	} else {
		text, err = p.ExplainRequest(p.Claimed(claims), graph.Request{Query: ps.args[0], Variables: variables})
	}
	fmt.Fprint(ps.out, text)
	return err
}

// object is a JSON object of a flag, nil without one.
func object(text, name string) (found map[string]any, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil || found == nil {
		return nil, usage{fmt.Sprintf("%s wants a JSON object, such as '{\"sub\": \"ann\"}', not %q", name, text)}
	}
	return found, nil
}
