package bench

import (
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
)

// server is the server over the file, which holds the data of the benchmarks and is not to be
// written.
func server(b *testing.B, path string) http.Handler {
	b.Helper()
	d, err := sqlite.Open(b.Context(), "sqlite:"+path)
	check(b, err)
	b.Cleanup(func() { _ = d.Close() })
	return serverOver(b, d)
}

func benchSchema(b *testing.B) *schema.Schema {
	b.Helper()
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: SDL})
	check(b, err)
	return s
}

func serverOver(b *testing.B, d driver.Driver) http.Handler {
	b.Helper()
	return serverOf(b, d, benchSchema(b), nil)
}

// serverOf serves a schema to whom who says, nobody for nil.
func serverOf(b *testing.B, d driver.Driver, s *schema.Schema, who func(*http.Request, map[string]any) (*auth.Caller, error)) http.Handler {
	b.Helper()
	if !d.Features().ForeignKeys {
		s.WithoutForeignKeys("main")
	}
	set, err := rules.Compile(s)
	check(b, err)
	rows, err := resolvers.New(resolvers.Config{
		Schema: s, Rules: set, Databases: map[string]*database.DB{"main": database.New("main", d)},
	})
	check(b, err)
	api, err := generator.New(s)
	check(b, err)
	door, err := graph.New(graph.Options{
		API: api, Resolvers: rows, Limits: graph.Limits{Body: 64 << 20}, Caller: who,
	})
	check(b, err)
	return door
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// command is the binary over the sample schema and an empty database in dir, and where it
// answers when it is ready.
func command(b *testing.B, dir string) (cmd *exec.Cmd, url string) {
	b.Helper()
	binary := filepath.Join(dir, "spacecloud")
	out, err := exec.CommandContext(b.Context(), "go", "build", "-o", binary, "..").CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	address := free.Addr().String()
	check(b, free.Close())
	sample, err := filepath.Abs("../schema")
	check(b, err)
	cmd = exec.CommandContext(b.Context(), binary, "--schema", sample, "--listen", address)
	cmd.Dir = dir
	return cmd, "http://" + address + "/readyz"
}

// BenchmarkInsert10000 inserts 10,000 comments in one request: µs and B of one row, and the
// peak of the heap.
func BenchmarkInsert10000(b *testing.B) {
	const rows = 10_000
	h := server(b, emptyData(b))
	body := InsertBody(rows)
	b.ReportAllocs()
	for b.Loop() {
		var c cost
		peak := peakHeap(func() { c = measure(1, func(int) { ask(b, h, body) }) })
		b.ReportMetric(c.cpu/rows, "cpu-µs/row")
		b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	}
}

// BenchmarkStart starts the binary over an empty database: ms until it answers, and the
// memory that it holds then.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		cmd, url := command(b, b.TempDir())
		took := startToReady(b, cmd, url)
		b.ReportMetric(float64(took.Microseconds())/1e3, "ready-ms")
		b.ReportMetric(residentMB(b, cmd.Process.Pid), "idle-MB")
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
}

func emptyData(b *testing.B) string {
	path := filepath.Join(b.TempDir(), "empty.db")
	if err := FirstRows(path); err != nil {
		b.Fatal(err)
	}
	return path
}
