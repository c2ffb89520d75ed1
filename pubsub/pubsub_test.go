package pubsub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"spacecloud/fault"
)

func TestWhatIsRefused(t *testing.T) {
	folder := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	secure := newServer(t, &server.Options{StoreDir: t.TempDir(), Username: "ours", Password: "p"})
	running := t.TempDir()
	openBus(t, Config{Folder: running})
	for _, c := range []struct {
		config Config
		kind   fault.Kind
		want   string
	}{
		{Config{}, fault.Internal, "needs a folder"},
		{Config{Folder: folder, Listen: "4222"}, fault.Invalid, `nats.listen wants host:port, such as 127.0.0.1:4222, not "4222"`},
		{Config{Folder: folder, Listen: ":0"}, fault.Invalid, "nats.listen: :0 can be reached from outside this machine, which needs a token"},
		{Config{Folder: folder, Listen: "192.0.2.1:0"}, fault.Invalid, "can be reached from outside"},
		{Config{Folder: folder, Listen: taken.Addr().String()}, fault.Invalid, "address already in use"},
		{Config{Folder: filepath.Join(running, "lock")}, fault.Invalid, "cannot be made"},
		{Config{Folder: running}, fault.Conflict, "another process keeps its streams in the same data folder"},
		{Config{URL: "nats://x:1", Listen: "127.0.0.1:0"}, fault.Invalid, "take one of them out"},
		{Config{URL: "http://x:1"}, fault.Invalid, "nats.url wants an address"},
		{Config{URL: "nats://x:1,nats://"}, fault.Invalid, "nats.url wants an address"},
		{Config{URL: "nats://u:secret@" + taken.Addr().String()}, fault.Unavailable, "NATS cannot be reached at 127.0.0.1"},
		{Config{URL: secure.url()}, fault.Unavailable, "NATS cannot be reached at 127.0.0.1"},
		{Config{URL: secure.url("ours", "secret")}, fault.Unavailable, "NATS cannot be reached at 127.0.0.1"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // who does not answer at all
		b, err := Open(ctx, c.config)
		cancel()
		if err == nil {
			b.Close()
		}
		if got := fmt.Sprint(err); fault.KindOf(err) != c.kind || !strings.Contains(got, c.want) || strings.Contains(got, "secret") {
			t.Errorf("%s: %v", c.want, err)
		}
	}
	b := openBus(t, Config{Folder: folder})
	for _, subject := range []string{"", ".", "a.", ".a", "a..b", "a b", "a\tb", "a\r\nPUB x 0", "*", "a.*", "a.>", ">", "a*", "a>b", "\x00", "\xff", strings.Repeat("a", maxSubject+1)} {
		if err := b.Publish(subject, nil); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", subject, err)
		}
	}
	for _, subject := range []string{"", "a.", ">.a", "a*", "a b", "a.>>"} {
		if _, err := b.Subscribe(t.Context(), subject); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", subject, err)
		}
	}
	for _, name := range []string{"", "a.b", "a b", "*", ">", "ä", "a/../b", strings.Repeat("a", 129)} {
		if _, err := b.Stream(t.Context(), StreamConfig{Name: name}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", name, err)
		}
		if err := b.Hold(t.Context(), name, nil); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := b.Publish("a", make([]byte, maxData+1)); fault.KindOf(err) != fault.Limit {
		t.Error(err)
	}
}

// Services reach each other at the address of the server inside the process, and nothing of ours.
func TestServicesReachNothingOfOurs(t *testing.T) {
	b := openBus(t, Config{Folder: t.TempDir(), Listen: "127.0.0.1:0", Token: "t0ken"})
	address := "nats://" + b.Address().String()
	for _, wrong := range []nats.Option{nats.Token("other"), nats.Token(""), nats.UserInfo(internal, ""), nats.UserInfo(internal, "t0ken"), nats.UserInfo("t0ken", "")} {
		if c, err := nats.Connect(address, wrong); err == nil {
			c.Close()
			t.Error("somebody without the token is let in")
		}
	}
	refused := make(chan error, 20)
	service, err := nats.Connect(address, nats.Token("t0ken"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	everything, err := service.SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	inGroup, err := service.QueueSubscribeSync(">", "group")
	if err != nil {
		t.Fatal(err)
	}
	ours := listen(t, b, ">")
	s := newStream(t, b, StreamConfig{Name: "s"})
	forbidden := []string{said + "x", doubt, s.subject, inboxes + ".x", "$JS.API.STREAM.PURGE." + s.name, "$KV." + leases + ".x"}
	for _, subject := range forbidden {
		if err := service.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, subject := range []string{said + ">", inboxes + ".>", "$JS.>"} {
		if _, err := service.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
	}
	if err := service.Flush(); err != nil {
		t.Fatal(err)
	}
	say(t, b, "x", "from us")
	if _, err := s.Publish(t.Context(), Entry{Data: []byte("from us")}); err != nil {
		t.Fatal(err)
	}
	if err := b.Hold(t.Context(), "x", func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if got := hear(t, ours); got != "x from us" {
		t.Error(got)
	}
	if bounds, err := s.Bounds(t.Context()); err != nil || bounds.Last != 1 {
		t.Error(bounds, err)
	}
	if err := service.Publish("billing.charge", []byte("theirs")); err != nil {
		t.Fatal(err)
	}
	for _, each := range []*nats.Subscription{everything, inGroup} {
		if m, err := each.NextMsgWithContext(t.Context()); err != nil || m.Subject != "billing.charge" {
			t.Error(m, err)
		}
	}
	for range len(forbidden) + 3 {
		if err := <-refused; !errors.Is(err, nats.ErrPermissionViolation) {
			t.Error(err)
		}
	}
}

// While the server is away nobody waits, and when it is back all are told that they may have missed
// something: those, too, whose own connection lasted.
func TestTheServerGoesAndComesBack(t *testing.T) {
	elsewhere := newServer(t, &server.Options{StoreDir: t.TempDir()})
	b := openBus(t, Config{URL: elsewhere.url()})
	s := listen(t, b, "x")
	stream := newStream(t, b, StreamConfig{Name: "s"})
	if _, err := stream.Append(t.Context(), 0, numbers(0, 10)...); err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		next := uint64(1)
		for next <= 20 { // as a reader is told to
			for e, err := range stream.Read(t.Context(), next) {
				if err != nil {
					break
				}
				if e.Seq != next {
					t.Errorf("%d, want %d", e.Seq, next)
				}
				if next == 10 {
					close(begun)
				}
				if next++; next > 20 {
					break
				}
			}
		}
	})
	<-begun
	elsewhere.stop()
	until(t, "it is noticed", func() bool { return !b.conn.IsConnected() })
	for range 100 {
		say(t, b, "x", "meanwhile") // kept back
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := stream.Publish(ctx, Entry{}); err == nil {
		t.Error("it was written nowhere")
	}
	elsewhere.run(t)
	untilMissed(t, s)
	say(t, b, "x", "again")
	for hear(t, s) != "x again" {
	}
	if _, err := stream.Append(t.Context(), 10, numbers(10, 10)...); err != nil {
		t.Error(err)
	}
	reading.Wait()
}

// A node of a cluster loses its server, finds another, and tells the nodes whose servers are there still.
func TestAServerOfAClusterGoes(t *testing.T) {
	c := newCluster(t)
	a := openBus(t, Config{URL: c[0].url() + "," + c[1].url()})
	b := openBus(t, Config{URL: c[2].url()})
	for a.conn.ConnectedUrl() != c[0].url() { // it takes either
		a.Close()
		a = openBus(t, Config{URL: c[0].url() + "," + c[1].url()})
	}
	s := listen(t, b, "x")
	meet(t, a, s, "x")
	stream := newStream(t, a, StreamConfig{Name: "s"})
	if _, err := stream.Append(t.Context(), 0, numbers(0, 5)...); err != nil {
		t.Fatal(err)
	}
	c[0].stop()
	untilMissed(t, s)
	meet(t, a, s, "x")
	until(t, "the stream has a leader again", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), answerTime)
		defer cancel()
		last, err := stream.Bounds(ctx)
		if err == nil && last.Last < 10 {
			last.Last, err = stream.Append(ctx, last.Last, numbers(last.Last, 10-last.Last)...)
		}
		return err == nil && last.Last == 10
	})
	checkNumbers(t, newStream(t, b, StreamConfig{Name: "s"}), 1, 10)
}

// What was accepted is there when the server inside the process starts again: after it was closed, and on what the disk
// held at any moment, as after a kill.
func TestStreamsOutliveTheProcess(t *testing.T) {
	folder := t.TempDir()
	config := StreamConfig{Name: "s"}
	b := openBus(t, Config{Folder: folder})
	s := newStream(t, b, config)
	accepted := make(chan uint64, 1) // the newest
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for last := uint64(0); ; {
			var err error
			if last, err = s.Append(t.Context(), last, numbers(last, 3)...); err != nil {
				t.Error(err)
				close(accepted)
				return
			}
			select {
			case <-accepted:
			default:
			}
			accepted <- last
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 5 {
		least := <-accepted
		killed := t.TempDir()
		copyFolder(t, killed, folder)
		again := newStream(t, openBus(t, Config{Folder: killed}), config)
		bounds, err := again.Bounds(t.Context())
		if err != nil || bounds.First != 1 || bounds.Last < least {
			t.Fatalf("%+v of %d: %v", bounds, least, err)
		}
		checkNumbers(t, again, 1, bounds.Last)
		if _, err := again.Append(t.Context(), bounds.Last, numbers(bounds.Last, 1)...); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	writing.Wait()
	least := <-accepted
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again := newStream(t, openBus(t, Config{Folder: folder}), config)
	checkNumbers(t, again, 1, least)
}

// copyFolder is what a disk has when the power goes, file by file.
func copyFolder(t *testing.T, to, from string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(name, from))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return errors.Join(err, os.WriteFile(target, text, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A holder that is there keeps its lease beyond the time to live; one that vanishes loses it, and knows so
// before another has it.
func TestALeaseEnds(t *testing.T) {
	t.Parallel()                // it only waits
	const ttl = 2 * time.Second // of which a busy machine does not lose half
	elsewhere := newServer(t, &server.Options{StoreDir: t.TempDir()})
	a, b := openBus(t, Config{URL: elsewhere.url(), ttl: ttl}), openBus(t, Config{URL: elsewhere.url(), ttl: ttl})
	lost := make(chan struct{})
	var other sync.WaitGroup
	err := a.Hold(t.Context(), "x", func(ctx context.Context) error {
		other.Go(func() {
			err := b.Hold(t.Context(), "x", func(context.Context) error {
				select {
				case <-lost:
				default:
					t.Error("two hold it")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		renewals(t, a, 5) // of which there are four in a time to live
		a.conn.Close()
		<-ctx.Done()
		close(lost)
		return context.Cause(ctx)
	})
	if !errors.Is(err, ErrLost) {
		t.Error(err)
	}
	other.Wait()
}

// renewals waits for so many.
func renewals(t *testing.T, b *Bus, n int) {
	t.Helper()
	bucket, err := b.js.KeyValue(t.Context(), leases)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := bucket.WatchAll(t.Context(), jetstream.UpdatesOnly())
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	for range n {
		if e := <-watch.Updates(); e.Operation() != jetstream.KeyValuePut {
			t.Error(e.Operation())
		}
	}
}

// A lease that another took is lost at once, whatever the clock says.
func TestALeaseIsTaken(t *testing.T) {
	t.Parallel()
	b := openBus(t, Config{Folder: t.TempDir(), ttl: 2 * time.Second})
	err := b.Hold(t.Context(), "x", func(ctx context.Context) error {
		bucket, err := b.js.KeyValue(ctx, leases)
		if err != nil {
			return err
		}
		if _, err := bucket.Put(ctx, "x", []byte("another")); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if !errors.Is(err, ErrLost) {
		t.Error(err)
	}
	// A word of the holder's own, of whose answer nobody heard, is not another's.
	err = b.Hold(t.Context(), "y", func(ctx context.Context) error {
		bucket, err := b.js.KeyValue(ctx, leases)
		if err != nil {
			return err
		}
		e, err := bucket.Get(ctx, "y")
		if err != nil {
			return err
		}
		if _, err := bucket.Put(ctx, "y", e.Value()); err != nil {
			return err
		}
		renewals(t, b, 2)
		return context.Cause(ctx)
	})
	if err != nil {
		t.Error(err)
	}
}

// Close ends all that a Bus does, hands its leases over, and leaves nothing running.
func TestCloseLeavesNothing(t *testing.T) {
	elsewhere := newServer(t, &server.Options{StoreDir: t.TempDir()})
	other := openBus(t, Config{URL: elsewhere.url()})
	far := listen(t, other, "x")
	if err := other.Hold(t.Context(), "x", func(context.Context) error { return nil }); err != nil {
		t.Fatal(err) // what it takes once is there before
	}
	before := goroutines("nats.go", "spacecloud/pubsub.(")
	servers := goroutines("nats-server")
	for _, c := range []Config{{Folder: t.TempDir(), Listen: "127.0.0.1:0"}, {URL: elsewhere.url()}} {
		if c.URL != "" { // a server elsewhere keeps what it likes
			until(t, "the server inside the process is gone", func() bool { return goroutines("nats-server") <= servers })
		}
		b := openBus(t, c)
		s, unread := listen(t, b, "x"), listen(t, b, ">")
		stream := newStream(t, b, StreamConfig{Name: "s"})
		begun, ends := make(chan struct{}), make(chan error, 4)
		go func() {
			_, err := s.Next(t.Context())
			ends <- err
		}()
		go func() {
			for _, err := range stream.Read(t.Context(), 1) {
				ends <- err
			}
		}()
		go func() {
			ends <- b.Hold(t.Context(), "x", func(ctx context.Context) error {
				close(begun)
				<-ctx.Done()
				return context.Cause(ctx)
			})
		}()
		<-begun
		go func() { ends <- b.Hold(t.Context(), "x", func(context.Context) error { return nil }) }()
		say(t, b, "y", "unread")
		for range 3 {
			say(t, b, "y", "last words")
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		for range 4 {
			if err := <-ends; !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		}
		if _, err := unread.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		closedIsSaid(t, b, stream)
	}
	say(t, other, "x", "far")
	if got := hear(t, far); got != "x far" {
		t.Error(got)
	}
	if err := other.Hold(t.Context(), "x", func(context.Context) error { return nil }); err != nil { // it was handed over
		t.Error(err)
	}
	until(t, "the clients are gone", func() bool { return goroutines("nats.go", "spacecloud/pubsub.(") <= before })
}

// goroutines is how many run code of one of these.
func goroutines(of ...string) int {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for each := range strings.SplitSeq(string(stacks), "\n\n") {
		if slices.ContainsFunc(of, func(name string) bool { return strings.Contains(each, name) }) {
			n++
		}
	}
	return n
}

func closedIsSaid(t *testing.T, b *Bus, s *Stream) {
	t.Helper()
	if err := b.Publish("x", nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := b.Subscribe(t.Context(), "x"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := s.Publish(t.Context(), Entry{}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := s.Append(t.Context(), 0, Entry{}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := b.Hold(t.Context(), "x", nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
