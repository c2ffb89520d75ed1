package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"spacecloud/tests/mariadb"
	"spacecloud/tests/mongo"
	private "spacecloud/tests/postgres"
	kinds "spacecloud/tests/served"
)

func TestMain(m *testing.M) {
	testscript.Main(served{m}, map[string]func(){"spacecloud": main})
}

// served stops the database servers that tests started.
type served struct{ *testing.M }

func (s served) Run() int { return kinds.Run(s.M) }

// Programs that start at once on one database migrate it once.
func TestProgramsThatStartAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	for kind, url := range map[string]func(testing.TB) string{
		"sqlite":   func(tb testing.TB) string { tb.Helper(); return "sqlite:" + filepath.Join(tb.TempDir(), "main.db") },
		"postgres": private.URL, "mysql": mariadb.URL, "mongodb": mongo.URL,
	} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			settings := "databases: {main: {url: \"" + url(t) + "\"}}\n"
			const sdl = `type Post @auth(read: "true") { id: ID! @primary  title: String! @index }`
			for name, text := range map[string]string{"spacecloud.yaml": settings, "a.graphql": sdl} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run := func(args ...string) string {
				c := exec.CommandContext(t.Context(), "spacecloud", append(args, "--schema", dir)...)
				c.Dir = dir
				said, err := c.CombinedOutput()
				if err != nil {
					t.Errorf("%v: %s", err, said)
				}
				return string(said)
			}
			var all sync.WaitGroup
			said := make([]string, 4)
			for i := range said {
				all.Go(func() { said[i] = run("migrate", "apply") })
			}
			all.Wait()
			if n := strings.Count(strings.Join(said, ""), "create "); n < 1 || strings.Count(strings.Join(said, ""), "nothing to do") != len(said)-1 {
				t.Errorf("it was not done once:\n%s", strings.Join(said, "\n"))
			}
			if status := run("migrate", "status"); strings.Count(status, "  migrate  ") != 1 {
				t.Errorf("the ledger is\n%s", status)
			}
		})
	}
}

// TestScripts runs the stories in testdata/scripts with the real program. Besides the usual
// commands there are
//
//	start [flag…]         starts a server on a free port, $ADDRESS, and waits until it is ready; what it says is stdout
//	hear TEXT             waits until the server has said TEXT, after what was heard before
//	[!] ask QUERY [TOKEN] sends a query; its answer is stdout; ! wants errors in it
//	get STATUS PATH       fetches a path; its answer is stdout
//	beside FILE SQL…      changes a SQLite database with other means
//	end                   ends the server as a terminal would, which has to go well
func TestScripts(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata/scripts", nil)
}

// TestScriptsOnPostgres runs those in testdata/postgres, which find an empty database at $POSTGRES
// and the schema of this repository in $SAMPLE.
func TestScriptsOnPostgres(t *testing.T) {
	t.Parallel()
	sample, err := filepath.Abs("schema")
	if err != nil {
		t.Fatal(err)
	}
	runScripts(t, "testdata/postgres", map[string]string{"POSTGRES": private.URL(t), "SAMPLE": sample})
}

func runScripts(t *testing.T, dir string, variables map[string]string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			e.Values[runningKey{}] = &running{}
			for name, value := range variables {
				e.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"start": start, "hear": hear, "ask": ask, "get": get, "beside": beside, "end": end},
	})
}

type runningKey struct{}

// running is the server of a script.
type running struct {
	command *exec.Cmd

	mu   sync.Mutex
	said bytes.Buffer // guarded by mu
	more chan struct{}
}

func (r *running) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
	return r.said.Write(b)
}

// until waits until something was said, and takes it off what is still to be heard.
func (r *running) until(ts *testscript.TestScript, want *regexp.Regexp) []string {
	late := time.After(10 * time.Second)
	for {
		r.mu.Lock()
		said := r.said.String()
		if m := want.FindStringSubmatchIndex(said); m != nil {
			r.said.Next(m[1])
			r.mu.Unlock()
			return want.FindStringSubmatch(said)
		}
		r.mu.Unlock()
		select {
		case <-r.more:
		case <-late:
			ts.Fatalf("%s was not said, only\n%s", want, said)
		}
	}
}

func server(ts *testscript.TestScript) *running { return ts.Value(runningKey{}).(*running) }

func start(ts *testscript.TestScript, neg bool, args []string) {
	r := server(ts)
	if neg || r.command != nil {
		ts.Fatalf("one server at a time")
	}
	path, err := exec.LookPath("spacecloud")
	ts.Check(err)
	r.more = make(chan struct{}, 1)
	c := exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	c.Dir, c.Stdout, c.Stderr, c.Env = ts.MkAbs("."), r, r, os.Environ()
	for _, name := range []string{"SPACECLOUD_ADMIN_SECRET", "SPACECLOUD_AUTH_KEYS_0_ALG", "SPACECLOUD_AUTH_KEYS_0_SECRET", "POSTGRES"} {
		c.Env = append(c.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(c.Start())
	r.command = c
	ts.Defer(func() { _ = c.Process.Kill(); _ = c.Wait() })
	said := r.until(ts, regexp.MustCompile(`http://([0-9.:]+)/graphql[^§]*?ready .*\n`))
	ts.Setenv("ADDRESS", said[1])
	ts.Setenv("API", "http://"+said[1])
	_, err = ts.Stdout().Write([]byte(said[0]))
	ts.Check(err)
}

func hear(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hear TEXT")
	}
	server(ts).until(ts, regexp.MustCompile(regexp.QuoteMeta(args[0])))
}

func ask(ts *testscript.TestScript, neg bool, args []string) {
	body, err := json.Marshal(map[string]string{"query": args[0]})
	ts.Check(err)
	r, err := http.NewRequest(http.MethodPost, ts.Getenv("API")+"/graphql", bytes.NewReader(body))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	if len(args) > 1 {
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(args[1]))
	}
	text := fetch(ts, r, 0)
	if strings.Contains(text, `"errors"`) != neg {
		ts.Fatalf("the answer is %s", text)
	}
}

func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get STATUS PATH")
	}
	r, err := http.NewRequest(http.MethodGet, ts.Getenv("API")+args[1], nil)
	ts.Check(err)
	var status int
	ts.Check(json.Unmarshal([]byte(args[0]), &status))
	fetch(ts, r, status)
}

// fetch prints an answer, which has to have the status unless that is 0.
func fetch(ts *testscript.TestScript, r *http.Request, status int) string {
	answer, err := http.DefaultTransport.RoundTrip(r)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if status != 0 && answer.StatusCode != status {
		ts.Fatalf("%s is answered with %d %s", r.URL, answer.StatusCode, text)
	}
	_, err = ts.Stdout().Write(append(text, '\n'))
	ts.Check(err)
	return string(text)
}

func beside(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: beside FILE SQL…")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	for _, statement := range args[1:] {
		_, err := db.ExecContext(context.Background(), statement)
		ts.Check(err)
	}
}

func end(ts *testscript.TestScript, neg bool, args []string) {
	r := server(ts)
	ts.Check(r.command.Process.Signal(syscall.SIGTERM))
	if err := r.command.Wait(); err != nil {
		ts.Fatalf("the server ended with %v\n%s", err, r.said.String())
	}
	r.command = nil
}
