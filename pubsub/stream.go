package pubsub

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"spacecloud/fault"
)

// How long one answer about streams may take, and how long it is asked again.
const (
	answerTime = time.Second
	patience   = 10 * time.Second
)

// window is how many entries are under way at once.
const window = 256

const (
	maxDuplicates = 2 * time.Minute // how long IDs are remembered
	readAhead     = 8 << 20         // bytes that wait for a slow reader
	idleReader    = 5 * time.Second // after which the server forgets it; it begins anew where it was
	maxResets     = 4               // tries to go on reading, some ten seconds
)

// ErrGone says that entries are asked for that are not there any more, or not yet: retention took them, or the stream is
// another than that of which the sequence is.
var ErrGone = errors.New("these entries of the stream are gone")

// StreamConfig is which entries are kept. The same for every node.
type StreamConfig struct {
	// Name is letters of ASCII, digits, _ and -. Required.
	Name string
	// Age is how long an entry is kept, at least 100 ms. Zero is for ever.
	Age time.Duration
	// Bytes are how many are kept, the oldest going first. Zero is any.
	Bytes int64
}

// Stream is a log that outlives processes: entries in one order, numbered from 1 without a gap, the oldest of
// which go by Age and Bytes. What was accepted is there after the process is killed. When the machine loses power the last second
// may be gone, and its numbers come again; a server elsewhere syncs as it was told to, every two minutes by default.
type Stream struct {
	bus           *Bus
	name, subject string
}

// Entry is one of a stream.
type Entry struct {
	// ID is the writer's. Publish writes one only once within two minutes, or Age if that is less. May be empty.
	ID string
	// Data are at most 1,000,000 bytes.
	Data []byte
	// Seq is its number, and Time when the server took it. They are for readers.
	Seq  uint64
	Time time.Time
}

// Bounds are what a stream holds: First to Last, or nothing when First is Last+1.
type Bounds struct {
	First, Last uint64
	// Created tells a stream from one of the same name before it, whose numbers mean nothing here.
	Created time.Time
}

// Stream is the stream of that name, made or changed to be as configured.
func (b *Bus) Stream(ctx context.Context, c StreamConfig) (*Stream, error) {
	if err := checkName(c.Name); err != nil {
		return nil, err
	}
	s := &Stream{bus: b, name: streams + c.Name, subject: logs + c.Name}
	duplicates := maxDuplicates
	if c.Age > 0 {
		duplicates = min(duplicates, c.Age)
	}
	maxBytes := c.Bytes
	if maxBytes == 0 {
		maxBytes = -1
	}
	err := b.make(ctx, func(ctx context.Context) error {
		return b.ensure(ctx, jetstream.StreamConfig{
			Name: s.name, Subjects: []string{s.subject},
			MaxAge: c.Age, MaxBytes: maxBytes, Duplicates: duplicates,
			Storage: jetstream.FileStorage, Replicas: b.replicas(), AllowDirect: true,
			DenyDelete: true, // no gap but at the beginning
		})
	})
	if err != nil {
		return nil, b.unavailable(err)
	}
	return s, nil
}

// ensure changes nothing that is as it should be.
func (b *Bus) ensure(ctx context.Context, want jetstream.StreamConfig) error {
	there, err := b.js.Stream(ctx, want.Name)
	if err == nil {
		is := there.CachedInfo().Config
		if is.MaxAge == want.MaxAge && is.MaxBytes == want.MaxBytes && is.Replicas == want.Replicas {
			return nil
		}
	}
	_, err = b.js.CreateOrUpdateStream(ctx, want)
	return err
}

// make is ask for what changes something, one at a time.
func (b *Bus) make(ctx context.Context, change func(context.Context) error) error {
	b.making.Lock()
	defer b.making.Unlock()
	return b.ask(ctx, change)
}

// ask asks again when there is no answer: a cluster is silent to one of two nodes that want the same thing made at once, about what
// was made a moment ago, and while it has no leader.
func (b *Bus) ask(ctx context.Context, question func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		try, done := context.WithTimeout(ctx, answerTime)
		err := question(try)
		done()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return err
		}
	}
}

// Publish writes an entry at the end, and is its number. After an error that is UNAVAILABLE it may be written or not; who
// publishes it again with the same ID has it there once.
func (s *Stream) Publish(ctx context.Context, e Entry) (uint64, error) {
	m, err := s.message(e)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ack, err := s.bus.js.PublishMsg(ctx, m)
	if err != nil {
		return 0, s.bus.unavailable(err)
	}
	return ack.Sequence, nil
}

// Append writes entries one after the other, the first of them right after the entry of number last, and is the number of the last one that was
// written. When the stream does not end there it fails with a CONFLICT: another writes. After any other error more may be written than is said;
// Bounds tells.
func (s *Stream) Append(ctx context.Context, last uint64, entries ...Entry) (uint64, error) {
	for len(entries) > 0 {
		part := entries[:min(window, len(entries))]
		written, err := s.appendPart(ctx, last, part)
		last += uint64(written)
		if err != nil {
			return last, err
		}
		entries = entries[len(part):]
	}
	return last, nil
}

// appendPart is how many of the first entries were written. All are sent before the first answer is
// read; once one fails none after it fits.
func (s *Stream) appendPart(ctx context.Context, last uint64, entries []Entry) (int, error) {
	answers := make([]jetstream.PubAckFuture, 0, len(entries))
	var failed error
	for i, e := range entries {
		m, err := s.message(e)
		if err == nil {
			var answer jetstream.PubAckFuture
			answer, err = s.bus.js.PublishMsgAsync(m, jetstream.WithExpectLastSequence(last+uint64(i)))
			answers = append(answers, answer)
		}
		if err != nil {
			failed = err
			answers = answers[:i]
			break
		}
	}
	for i, answer := range answers {
		if err := s.await(ctx, answer); err != nil {
			return i, err
		}
	}
	return len(answers), s.asFault(failed)
}

func (s *Stream) await(ctx context.Context, answer jetstream.PubAckFuture) error {
	select {
	case ack := <-answer.Ok():
		if ack.Duplicate {
			return fault.New(fault.Conflict, "an entry with this ID was written a moment ago")
		}
		return nil
	case err := <-answer.Err():
		return s.asFault(err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// asFault is a failure to write.
func (s *Stream) asFault(err error) error {
	refused, ok := errors.AsType[*jetstream.APIError](err)
	switch {
	case ok && isMoved(refused):
		return fault.Wrap(fault.Conflict, err, "another writes to the stream")
	case fault.KindOf(err) == fault.Limit:
		return err
	}
	return s.bus.unavailable(err)
}

func isMoved(err *jetstream.APIError) bool {
	return err.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || err.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}

func (s *Stream) message(e Entry) (*nats.Msg, error) {
	if err := checkData(e.Data); err != nil {
		return nil, err
	}
	m := &nats.Msg{Subject: s.subject, Data: e.Data, Header: nats.Header{}}
	if e.ID != "" {
		m.Header.Set(jetstream.MsgIDHeader, e.ID)
	}
	return m, nil
}

// Bounds are what it holds now.
func (s *Stream) Bounds(ctx context.Context) (Bounds, error) {
	handle, err := s.handle(ctx)
	if err != nil {
		return Bounds{}, s.bus.unavailable(err)
	}
	info := handle.CachedInfo()
	return Bounds{max(info.State.FirstSeq, 1), info.State.LastSeq, info.Created}, nil
}

// handle knows what the stream holds now.
func (s *Stream) handle(ctx context.Context) (handle jetstream.Stream, err error) {
	err = s.bus.ask(ctx, func(ctx context.Context) error {
		handle, err = s.bus.js.Stream(ctx, s.name)
		return err
	})
	return handle, err
}

// Get is the entry of a number, or ErrGone.
func (s *Stream) Get(ctx context.Context, seq uint64) (Entry, error) {
	handle, err := s.handle(ctx)
	if err != nil {
		return Entry{}, s.bus.unavailable(err)
	}
	var m *jetstream.RawStreamMsg
	err = s.bus.ask(ctx, func(ctx context.Context) error {
		m, err = handle.GetMsg(ctx, seq)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return Entry{}, ErrGone
	case err != nil:
		return Entry{}, s.bus.unavailable(err)
	}
	return Entry{m.Header.Get(jetstream.MsgIDHeader), m.Data, m.Sequence, m.Time}, nil
}

// Read is the entries from a number on, each once and in order, and those to come as they come, until ctx ends, which
// is an error as any: read on from the entry after the last. ErrGone is that from is no entry and not the next one to be written, or that a slow
// reader was overtaken by retention: there is never a silent hole.
func (s *Stream) Read(ctx context.Context, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		ctx, cancel := s.bus.within(ctx)
		defer cancel()
		messages, err := s.open(ctx, from)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer messages.Stop()
		for next := from; ; next++ {
			e, err := s.receive(ctx, messages)
			if err == nil && e.Seq != next {
				err = fmt.Errorf("%w: %d is, and %d is there", ErrGone, next, e.Seq)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func (s *Stream) open(ctx context.Context, from uint64) (jetstream.MessagesContext, error) {
	bounds, err := s.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	if from < bounds.First || from > bounds.Last+1 {
		return nil, fmt.Errorf("%w: there are %d to %d, and not %d", ErrGone, bounds.First, bounds.Last, from)
	}
	var consumer jetstream.Consumer
	err = s.bus.ask(ctx, func(ctx context.Context) error {
		consumer, err = s.bus.js.OrderedConsumer(ctx, s.name, jetstream.OrderedConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
			InactiveThreshold: idleReader, MaxResetAttempts: maxResets,
		})
		return err
	})
	if err != nil {
		return nil, s.bus.unavailable(err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(window, readAhead))
	if err != nil {
		return nil, s.bus.unavailable(err)
	}
	return messages, nil
}

func (s *Stream) receive(ctx context.Context, messages jetstream.MessagesContext) (Entry, error) {
	m, err := messages.Next(jetstream.NextContext(ctx))
	if ctx.Err() != nil {
		return Entry{}, context.Cause(ctx)
	}
	if err != nil {
		return Entry{}, s.bus.unavailable(err)
	}
	meta, err := m.Metadata()
	if err != nil {
		return Entry{}, s.bus.unavailable(err)
	}
	return Entry{m.Headers().Get(jetstream.MsgIDHeader), m.Data(), meta.Sequence.Stream, meta.Timestamp}, nil
}
