package main

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"spacecloud/tests/mariadb"
	"spacecloud/tests/mongo"
	private "spacecloud/tests/postgres"
	kinds "spacecloud/tests/served"
)

// secret is the password of every URL here, which must stand nowhere else.
const secret = "s3cret"

const (
	postgresLike = "its URL cannot be read; it is like postgres://user:password@host:5432/name, with what is special in user and password percent-encoded, such as %40 for @"
	mysqlLike    = "its URL cannot be read; it is like mysql://user:password@host:3306/name, with what is special in user and password percent-encoded, such as %40 for @"
	mongoLike    = "its URL cannot be read; it is like mongodb://user:password@host:27017/name, with what is special in user and password percent-encoded, such as %40 for @"
	noUser       = "the server does not let this user in; correct the user and the password in its URL"
	noDatabase   = "there is no such database on the server; create it, or correct the name in its URL"
	refused      = "the server cannot be reached at 127.0.0.1:1 (connection refused); start it, or correct the address in its URL"
)

// A database that cannot be used is said in one line, with why and what to do, whatever its kind and the
// command; and nowhere stands the password.
func TestDatabasesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for at, why := range map[string]string{
		"postgres://ann:s3cret@127.0.0.1:1/x":                     refused,
		"mysql://ann:s3cret@127.0.0.1:1/x":                        refused,
		"mariadb://ann:s3cret@127.0.0.1:1/x":                      refused,
		"mongodb://ann:s3cret@127.0.0.1:1/x":                      refused,
		"postgres://ann:s3cret@127.0.0.1:port/x":                  postgresLike,
		"mysql://ann:s3cret@127.0.0.1:port/x":                     mysqlLike,
		"mongodb://ann:s3cret@127.0.0.1:port/x":                   mongoLike,
		"postgres://ann:s3cret%@127.0.0.1:1/x":                    postgresLike,
		"mysql://ann:s3cret%@127.0.0.1:1/x":                       mysqlLike,
		"mongodb://ann:s3cret%@127.0.0.1:1/x":                     mongoLike,
		"mongodb://ann:s3cret@/x":                                 mongoLike,
		"postgres://ann:s3cret@127.0.0.1:1":                       "its URL names no database; it is like postgres://user:password@host:5432/name",
		"mysql://ann:s3cret@127.0.0.1:1/":                         "its URL names no database; it is like mysql://user:password@host:3306/name",
		"mongodb://ann:s3cret@127.0.0.1:1":                        "its URL names no database; it is like mongodb://user:password@host:27017/name",
		"mysql://ann:s3cret@127.0.0.1:1/x?nope=1":                 `its URL has the option "nope", which does not exist; known are pool_max_conns, socket, tls`,
		"mongodb://ann:s3cret@127.0.0.1:1/x?nope=1":               `its URL has the option "nope", which does not exist`,
		"sqlite:x.db?nope=1":                                      `its URL has the option "nope", which does not exist`,
		"postgres://ann:s3cret@127.0.0.1:1/x?pool_max_conns=many": `the option pool_max_conns of its URL has to be a number from 1 on, not "many"`,
		"mysql://ann:s3cret@127.0.0.1:1/x?pool_max_conns=many":    `the option pool_max_conns of its URL has to be a number from 1 on, not "many"`,
		"sqlite://ann:s3cret@host/x.db":                           "its URL has a user or a host, and an SQLite database is a file, such as sqlite:data/app.db",
		"sqlite:schema":                                           "schema is a folder, and an SQLite database is a file in one; write sqlite:schema/main.db",
		"sqlite:nowhere/x.db":                                     "the folder nowhere of the database nowhere/x.db is not there; make it, or correct the URL",
		"sqlite:schema/a.graphql":                                 "schema/a.graphql is not an SQLite database; name another file, or move this one away",
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			cannot(t, at, "database main: "+why)
		})
	}
}

func TestURLsThatAreNone(t *testing.T) {
	t.Parallel()
	for at, kind := range map[string]string{"oracle://ann:s3cret@host/x": "oracle", "ann:s3cret@host/x": "ann", secret: ""} {
		out, said, status := invoke(t, folder(t), at, "serve")
		shown, _, _ := invoke(t, folder(t), at, "config", "check")
		if want := `spacecloud: SPACECLOUD_DATABASES_MAIN_URL: databases.main.url wants an address such as sqlite:data/main.db, not one of kind "` + kind + "\"\n"; status != 1 || out != "" || said != want || strings.Contains(shown, secret) {
			t.Errorf("%s: status %d, %q, want %q; %s", at, status, said, want, shown)
		}
	}
}

func TestPostgresThatLetsNobodyIn(t *testing.T) {
	t.Parallel()
	server := private.Start(t)
	config, err := pgx.ParseConfig(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	for _, statement := range []string{"CREATE ROLE ann LOGIN PASSWORD 's3cret'", "CREATE ROLE bo LOGIN PASSWORD 's3cret'", "CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	cannot(t, server.For("ann", secret+"x", "postgres"), "database main: "+noUser)
	cannot(t, server.For("nobody", secret, "postgres"), "database main: "+noUser)
	cannot(t, server.For("ann", secret, "none"), "database main: "+noDatabase)
	cannot(t, server.For("ann", secret, "closed"), "database main: this user may not use the database of its URL; grant it, or correct the name")
	cannot(t, server.For("ann", secret, "postgres")+"&nope=1", `database main: its URL has the option "nope", which does not exist`)
	cannot(t, server.For("ann", secret, "postgres")+"&statement_timeout=soon", `database main: the option statement_timeout of its URL has a value that the server does not take`)
	server.Kill()
	if text := fails(t, server.URL()); !strings.Contains(text, "database main: the server cannot be reached at ") {
		t.Error(text)
	}
}

func TestMariaDBThatLetsNobodyIn(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(mariadb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	other := *address
	other.User = url.UserPassword("nobody", secret)
	cannot(t, other.String(), "database main: "+noUser)
	other = *address
	other.Path = "/no_such_database"
	cannot(t, other.String(), "database main: "+noDatabase)
	db := mariadb.Open(t)
	for _, statement := range []string{"CREATE USER IF NOT EXISTS 'starts'@'%' IDENTIFIED BY 's3cret'", "CREATE USER IF NOT EXISTS 'starts'@'localhost' IDENTIFIED BY 's3cret'"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	other = *address
	other.User = url.UserPassword("starts", secret)
	cannot(t, other.String(), "database main: this user may not use the database of its URL; grant it, or correct the name")
}

func TestMongoDBThatLetsNobodyIn(t *testing.T) {
	t.Parallel()
	cannot(t, strings.Replace(mongo.URL(t), "mongodb://", "mongodb://ann:"+secret+"@", 1), "database main: "+noUser)
}

// A file that may only be read is said, also where the folder is what may not be written.
func TestSQLiteThatMayOnlyBeRead(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	invoke(t, dir, "sqlite:main.db", "migrate", "apply")
	for _, each := range []struct {
		mode, ofFolder os.FileMode
		want           string
	}{
		{0o444, 0o777, "cannot be written; allow it to the user that the server runs as"},
		{0o444, 0o555, "allow"},
		{0o000, 0o777, "cannot be opened or made; allow the user that the server runs as to read and write it and its folder"},
	} {
		if err := errors.Join(os.Chmod(filepath.Join(dir, "main.db"), each.mode), os.Chmod(dir, each.ofFolder)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
		out, said, status := as(t, 65534, dir, "sqlite:main.db", "migrate", "plan", "--data", t.TempDir())
		if status != 1 || strings.Count(said, "\n") != 1 || !strings.Contains(said, "database main: the SQLite database main.db") || !strings.Contains(said, each.want) {
			t.Errorf("%o in %o: status %d, %q %q", each.mode, each.ofFolder, status, said, out)
		}
	}
}

// cannot is whether all that needs the database refuses an address in this one line.
func cannot(t *testing.T, at, line string) {
	t.Helper()
	if got := fails(t, at); got != "spacecloud: "+line+"\n" {
		t.Errorf("%s:\n%s\nwant\n%s", at, got, line)
	}
}

// fails is what an address is refused with.
func fails(t *testing.T, at string) string {
	t.Helper()
	dir := folder(t)
	var all []string
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"migrate", "plan"}} {
		out, said, status := invoke(t, dir, at, args...)
		if status != 1 || out != "" || strings.Count(said, "\n") != 1 {
			t.Errorf("%s of %s: status %d, out %q, %q", args, at, status, out, said)
		}
		all = append(all, said)
	}
	if all[0] != all[1] {
		t.Errorf("%s: %q and %q", at, all[0], all[1])
	}
	shown, said, _ := invoke(t, dir, at, "config", "check")
	if strings.Contains(all[0]+shown+said, secret) {
		t.Errorf("%s: the password is told:\n%s%s%s", at, all[0], shown, said)
	}
	return all[0]
}

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "schema"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "schema", "a.graphql"), []byte(`type Post @auth(read: "true") { id: ID! @primary  title: String }`), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// invoke runs the program in a folder with a database.
func invoke(t *testing.T, dir, at string, args ...string) (out, said string, status int) {
	t.Helper()
	path, err := exec.LookPath("spacecloud")
	if err != nil {
		t.Fatal(err)
	}
	return ran(t, exec.CommandContext(t.Context(), path, args...), dir, at)
}

func ran(t *testing.T, c *exec.Cmd, dir, at string) (out, said string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = dir, &stdout, &stderr
	settings := slices.DeleteFunc(os.Environ(), func(each string) bool { return strings.HasPrefix(each, "SPACECLOUD_") }) // of tests
	c.Env = append(settings, "SPACECLOUD_DATABASES_MAIN_URL="+at, "SPACECLOUD_ADMIN_SECRET=0123456789abcdef0123456789abcdef",
		"SPACECLOUD_AUTH_KEYS_0_ALG=HS256", "SPACECLOUD_AUTH_KEYS_0_SECRET=0123456789abcdef0123456789abcdef")
	err := c.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), c.ProcessState.ExitCode()
}

// as runs the program as another user, which only root can. Others are held to the modes of files
// already.
func as(t *testing.T, uid uint32, dir, at string, args ...string) (out, said string, status int) {
	t.Helper()
	if os.Getuid() != 0 {
		return invoke(t, dir, at, args...)
	}
	c := exec.CommandContext(t.Context(), lent(t), args...)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	for _, each := range []string{dir, args[len(args)-1]} {
		if err := os.Chmod(filepath.Dir(each), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(os.Chown(args[len(args)-1], int(uid), int(uid)), os.Chmod(filepath.Join(dir, "schema", "a.graphql"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return ran(t, c, dir, at)
}

// lent is a copy of the program that every user can run.
func lent(t *testing.T) string {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(own)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	dir := t.TempDir()
	path := filepath.Join(dir, "spacecloud")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close(), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	return path
}

// In production a database that is not what the schema needs is refused at the start, with what it lacks.
func TestTablesThatDoNotMatch(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, on kinds.Kind) {
		at := on.URL(t)
		dir := folder(t)
		write := func(sdl string) {
			if err := os.WriteFile(filepath.Join(dir, "schema", "a.graphql"), []byte(sdl), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if out, said, status := invoke(t, dir, at, "migrate", "apply"); status != 0 {
			t.Fatal(out, said)
		}
		for sdl, lacks := range map[string]string{
			`type Post @auth(read: "true") { id: ID! @primary  title: String  views: Int! @index }`:                                "views",
			`type Post @auth(read: "true") { id: ID! @primary  title: Int }`:                                                       "title",
			`type Post @auth(read: "true") { id: ID! @primary  title: String! }`:                                                   "title",
			`type Post @auth(read: "true") { id: ID! @primary  title: String } type Note @auth(read: "true") { id: ID! @primary }`: "notes",
		} {
			write(sdl)
			out, said, status := invoke(t, dir, at, "serve", "--production", "--listen", "127.0.0.1:0")
			if status != 1 || out != "" || !strings.HasPrefix(said, "spacecloud: database main is not what the schema needs; run: spacecloud migrate apply\n") || !strings.Contains(said, lacks) {
				t.Errorf("%s: status %d, %s%s", sdl, status, out, said)
			}
		}
	})
}
