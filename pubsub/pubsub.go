// Package pubsub tells others: this process and the other nodes of the deployment, over NATS, whose server
// runs inside the process unless there is one elsewhere.
//
// What is published on the Bus is delivered at most once, in the order of each publisher, and only says "look": who listens is
// told when something may have been missed, and asks again. What must not be lost is in a
// database or in a Stream. What one node should do at a time is done under a lease (Hold).
//
// All of it lies below one prefix of subjects, which services that connect to the server inside the process
// cannot reach. On a server elsewhere its operator sees to that, with an account for this deployment alone.
package pubsub

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"spacecloud/fault"
)

// prefix is where all subjects of this package begin.
const prefix = "spacecloud."

// What is below prefix, beside the streams.
const (
	said    = prefix + "said."  // what is published
	doubt   = prefix + "doubt"  // a node's connection was lost, perhaps with what it said
	inboxes = prefix + "inbox"  // answers of the server
	logs    = prefix + "log."   // streams
	streams = "spacecloud-"     // names of streams, which are no subjects
	leases  = "spacecloud-held" // the bucket of leases
)

// Data is what one message or entry may hold, in bytes: servers take a mebibyte with its headers.
const maxData = 1_000_000

const (
	connectTimeout = 5 * time.Second
	closeTimeout   = 2 * time.Second        // for what a server still has to hear
	firstRetry     = 100 * time.Millisecond // doubled with each failure, up to lastRetry
	lastRetry      = 2 * time.Second
	leaseTTL       = 5 * time.Second
)

// ErrClosed is what ends whatever a Bus did when it was closed.
var ErrClosed error = fault.New(fault.Unavailable, "this server is ending")

// Config is where the Bus is.
type Config struct {
	// URL is a server or a cluster elsewhere, nats://host:port or tls://host:port, several with commas, with
	// user:password@ where it wants that. Its version is 2.11 or newer, with JetStream. Empty is a server inside the process.
	URL string
	// Folder is where the server inside the process keeps streams. Required without URL; one process at a time.
	Folder string
	// Listen is the address where services connect to the server inside the process, host:port, port 0 for a
	// free one. Empty is none: then nobody else connects. Not with URL.
	Listen string
	// Token is what services show at Listen, required outside loopback, or what this process shows at URL.
	Token string
	// Log takes what nobody is told. Defaults to slog.Default().
	Log *slog.Logger

	// ttl is how long a lease outlives its holder, shorter in tests.
	ttl time.Duration
}

func (c Config) withDefaults() Config {
	c.Log = cmp.Or(c.Log, slog.Default())
	c.ttl = cmp.Or(c.ttl, leaseTTL)
	return c
}

func (c Config) validate() error {
	if c.URL != "" {
		return c.validateURL()
	}
	if c.Folder == "" {
		return errors.New("pubsub: a server inside the process needs a folder")
	}
	if c.Listen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fault.New(fault.Invalid, "nats.listen wants host:port, such as 127.0.0.1:4222, not %q", c.Listen)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) && c.Token == "" {
		return fault.New(fault.Invalid, "nats.listen: %s can be reached from outside this machine, which needs a token "+
			"(nats.token, SPACECLOUD_NATS_TOKEN); set it, or listen on 127.0.0.1", c.Listen)
	}
	return nil
}

func (c Config) validateURL() error {
	if c.Listen != "" {
		return fault.New(fault.Invalid, "nats.listen is of the server inside the process, and nats.url says that there is none; take one of them out")
	}
	for each := range strings.SplitSeq(c.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(each))
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return fault.New(fault.Invalid, "nats.url wants an address such as nats://host:4222")
		}
	}
	return nil
}

// Bus is this process's connection to the others. It is safe for concurrent use.
type Bus struct {
	Config
	server *embedded // nil where there is one elsewhere
	conn   *nats.Conn
	js     jetstream.JetStream
	gone   chan struct{} // closed when conn is

	life context.Context //nolint:containedctx // ends with the Bus, whoever asks
	end  context.CancelCauseFunc

	making sync.Mutex // one stream or bucket at a time

	mu            sync.Mutex
	subscriptions map[*nats.Subscription]*Subscription // guarded by mu
	holding       sync.WaitGroup                       // added to under mu, while life lasts
}

// Open starts the server inside the process, or connects to the one elsewhere; Close ends it.
func Open(ctx context.Context, c Config) (*Bus, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	b := &Bus{Config: c.withDefaults(), gone: make(chan struct{}), subscriptions: map[*nats.Subscription]*Subscription{}}
	b.life, b.end = context.WithCancelCause(context.WithoutCancel(ctx))
	if c.URL == "" {
		var err error
		if b.server, err = start(b.Config); err != nil {
			return nil, err
		}
	}
	if err := b.connect(ctx); err != nil {
		b.end(ErrClosed)
		return nil, errors.Join(err, b.server.stop())
	}
	return b, nil
}

// connect makes the connection, and has others tell when they may have lost something.
func (b *Bus) connect(ctx context.Context) error {
	timeout := connectTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
	}
	conn, err := nats.Connect(b.URL, append(b.options(), nats.Timeout(timeout))...)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "NATS cannot be reached at %s", b.where())
	}
	b.conn = conn
	b.js, err = jetstream.New(conn, jetstream.WithPublishAsyncTimeout(connectTimeout), jetstream.WithPublishAsyncMaxPending(16*window))
	if err == nil {
		_, err = conn.Subscribe(doubt, func(*nats.Msg) { b.missed() })
	}
	if err == nil {
		err = b.flush(ctx)
	}
	if err != nil {
		conn.Close()
		<-b.gone
		return b.unavailable(err)
	}
	return nil
}

func (b *Bus) options() []nats.Option {
	options := []nats.Option{
		nats.Name("spacecloud"),
		nats.CustomInboxPrefix(inboxes),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(retry),
		nats.ErrorHandler(b.failed),
		nats.DisconnectErrHandler(b.disconnected),
		nats.ReconnectHandler(b.reconnected),
		nats.ClosedHandler(func(*nats.Conn) { close(b.gone) }),
	}
	if b.server != nil {
		return append(options, nats.InProcessServer(b.server), nats.UserInfo(internal, b.server.password))
	}
	if b.Token != "" {
		options = append(options, nats.Token(b.Token))
	}
	return options
}

// where is the address without what is secret in it.
func (b *Bus) where() string {
	if b.server != nil {
		return "the server inside the process"
	}
	var all []string
	for each := range strings.SplitSeq(b.URL, ",") {
		u, _ := url.Parse(strings.TrimSpace(each)) // validated
		all = append(all, u.Host)
	}
	return strings.Join(all, ", ")
}

// retry is how long to wait for a server that cannot be reached: nodes do not come back all at once.
func retry(attempts int) time.Duration {
	const enough = 5 // doublings
	wait := min(firstRetry<<min(attempts, enough), lastRetry)
	return wait + rand.N(wait/2) //nolint:gosec // it only spreads
}

func (b *Bus) disconnected(_ *nats.Conn, err error) {
	if b.life.Err() == nil {
		b.Log.Warn("the connection to NATS was lost", "error", err)
	}
}

// reconnected has everybody ask again: what this node said last may be lost, too. It hears that itself once it is
// subscribed again. Where it cannot be said the connection is lost once more, which ends here again.
func (b *Bus) reconnected(conn *nats.Conn) {
	b.Log.Info("NATS is connected again")
	_ = conn.Publish(doubt, nil)
}

// failed is told what NATS does beside any call: above all, that a subscriber is too slow.
func (b *Bus) failed(_ *nats.Conn, of *nats.Subscription, err error) {
	b.mu.Lock()
	s := b.subscriptions[of]
	b.mu.Unlock()
	switch {
	case s != nil && errors.Is(err, nats.ErrSlowConsumer):
		s.miss()
	case b.life.Err() == nil:
		b.Log.Warn("NATS reports an error", "error", err)
	}
}

// missed tells every subscriber.
func (b *Bus) missed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.subscriptions {
		s.miss()
	}
}

// Address is where services connect to the server inside the process, nil where they cannot.
func (b *Bus) Address() net.Addr {
	if b.server == nil {
		return nil
	}
	return b.server.Addr()
}

// Publish tells whoever listens to the subject now, a name or several with dots. It waits for nobody, and is
// delivered at most once: while the server is away some of it is kept back for later, and more is an error.
func (b *Bus) Publish(subject string, data []byte) error {
	if err := checkSubject(subject, false); err != nil {
		return err
	}
	if err := checkData(data); err != nil {
		return err
	}
	return b.unavailable(b.conn.Publish(said+subject, data))
}

func checkData(data []byte) error {
	if len(data) > maxData {
		return fault.New(fault.Limit, "a message holds at most %d bytes, and this has %d", maxData, len(data))
	}
	return nil
}

// flush waits until the server has heard all that was said to it.
func (b *Bus) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return b.conn.FlushWithContext(ctx)
}

// replicas is on how many servers of a cluster something is kept, so that one may go.
func (b *Bus) replicas() int {
	if b.conn.ConnectedClusterName() != "" {
		return 3
	}
	return 1
}

// Close ends subscriptions, hands leases over once what is done under them has returned, sees that what was published is
// sent, and stops the server inside the process. It can be called again.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.end(ErrClosed)
	b.mu.Unlock()
	b.holding.Wait()
	if b.conn.IsConnected() {
		_ = b.conn.FlushTimeout(closeTimeout) // what is not heard by now is lost, as messages may be
	}
	b.conn.Close()
	<-b.gone
	return b.server.stop()
}

// enter is a context that ends with the Bus, too, and keeps Close waiting until leave.
func (b *Bus) enter(ctx context.Context) (within context.Context, leave func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.life.Err() != nil {
		return nil, nil, ErrClosed
	}
	b.holding.Add(1)
	within, cancel := b.within(ctx)
	return within, func() { cancel(); b.holding.Done() }, nil
}

// within is a context that ends with the Bus, too.
func (b *Bus) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(b.life, func() { cancel(ErrClosed) })
	return ctx, func() { stop(); cancel(context.Canceled) }
}

// unavailable is a failure of NATS, for which the caller can do nothing.
func (b *Bus) unavailable(err error) error {
	switch {
	case err == nil:
		return nil
	case b.life.Err() != nil:
		return ErrClosed
	case errors.Is(err, context.Canceled):
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "NATS does not answer as it should")
}
