package resolvers

import (
	"context"
	"encoding/binary"
	"sync/atomic"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/dataloader"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// run is one execution of a plan. It is reused by later ones.
type run struct {
	r       *Resolvers
	plan    *plan
	readers []driver.Reader // by plan.databases
	binding query.Binding   // but for the keys
	claims  []schema.Value
	keys    []schema.Value  // of the root, when it is asked by keys
	results []result        // by level
	rows    atomic.Int64    // read so far
	written int             // rows put into the answer so far, each as often as it stands there
	ctx     context.Context //nolint:containedctx // of this execution, for the writing of its answer
	err     error           // why the answer cannot be written
	apart   *apart          // of a plan of several databases, else nil
	holes   *holes          // of the answer
	own     holes           // of an answer that is all of this run
}

// result is what a level's statement answered: the rows written as JSON, cut where the
// links go.
type result struct {
	bytes  []byte
	cuts   []int   // for each row: the end of the text before each link, then the end of the row
	groups []int   // for each key the number (or place) of its first row, then the number of rows
	links  []asked // by level.children
	page   paging  // of a connection
	joins  joins   // of a link whose join rows are in another database
	places []int   // of such a link: the row at each place of the groups
}

// asked are the keys that the rows of a level ask one of its links for.
type asked struct {
	ordinals []int // for each row the ordinal of its key, -1 where it has none, or less for a hole
	keys     dataloader.Keys[key]
	flat     []schema.Value
}

// key is a link's key in a form that can be compared.
type key struct {
	kind schema.ValueKind
	num  int64
	str  string
}

func (p *plan) start(r *Resolvers, c *auth.Caller, args []schema.Value) *run {
	run, ok := p.pool.Get().(*run)
	if !ok {
		run = newRun(p)
	}
	run.r, run.holes = r, &run.own
	run.binding.Args = args
	if len(p.claims) > 0 {
		if run.claims == nil {
			run.claims = make([]schema.Value, r.Rules.Operands())
		}
		r.Rules.Claims(c, p.claims, run.claims)
	}
	run.binding.Claims = run.claims
	return run
}

func newRun(p *plan) *run {
	run := &run{plan: p, readers: make([]driver.Reader, len(p.databases)), results: make([]result, len(p.levels))}
	for i, l := range p.levels {
		run.results[i].links = make([]asked, len(l.children))
	}
	if len(p.databases) > 1 {
		run.apart = newApart(p)
	}
	return run
}

// finish gives the run back, keeping no value of the request.
func (p *plan) finish(run *run) {
	const most = 1 << 20 // bytes of a level worth keeping
	clear(run.readers)
	clear(run.claims)
	run.binding, run.keys, run.written, run.ctx, run.err = query.Binding{}, nil, 0, nil, nil
	run.rows.Store(0)
	run.holes = nil
	run.own.reset()
	if run.apart != nil {
		run.apart.reset()
	}
	for i := range run.results {
		res := &run.results[i]
		if cap(res.bytes) > most {
			return
		}
		res.joins.reset()
		for j := range res.links {
			clear(res.links[j].flat)
			res.links[j].keys.Reset()
		}
	}
	p.pool.Put(run)
}

// answer asks level after level, and then writes the answer.
func (run *run) answer(ctx context.Context, dst []byte) ([]byte, error) {
	root := run.plan.levels[0]
	run.ctx = ctx
	if err := run.allBounds(); err != nil {
		return dst, err
	}
	if len(root.children) == 0 && run.keys == nil && root.page == nil {
		return run.direct(ctx, root, dst)
	}
	if err := run.ask(ctx, root, run.keys); err != nil {
		return dst, err
	}
	start := len(dst)
	if dst = run.whole(dst, root); run.err != nil {
		return dst[:start], run.err
	}
	return dst, nil
}

// whole writes the answer from the root down.
func (run *run) whole(dst []byte, root *level) []byte {
	if root.page != nil {
		return run.connection(dst, root, 0)
	}
	rows := len(run.results[0].cuts) / (len(root.children) + 1)
	switch {
	case !root.single:
		return run.list(dst, root, 0, rows)
	case rows == 0:
		return append(dst, "null"...)
	}
	return run.row(dst, root, 0)
}

// fits counts one more row of an answer that has so many bytes by then. A row that many share is
// read once and written many times, so what was read bounds nothing.
func (run *run) fits(bytes int) bool {
	run.written++
	switch {
	case run.err != nil:
	case run.written > run.r.AnswerRows:
		run.err = fault.New(fault.Limit, "the answer has more than %d rows; ask for fewer at once", run.r.AnswerRows).
			With("limit", run.r.AnswerRows)
	case bytes > run.r.AnswerBytes:
		run.err = fault.New(fault.Limit, "the answer is larger than %d MiB; ask for less at once", run.r.AnswerBytes>>20).
			With("limit", run.r.AnswerBytes)
	case run.written%1024 == 0:
		run.err = late(run.ctx)
	}
	return run.err == nil
}

// direct writes the rows of a level without links straight into the answer.
func (run *run) direct(ctx context.Context, l *level, dst []byte) ([]byte, error) {
	start := len(dst)
	if !l.single {
		dst = append(dst, '[')
	}
	first := len(dst)
	err := run.each(ctx, l, nil, func(rows driver.Rows) {
		if len(dst) > first {
			dst = append(dst, ',')
		}
		if run.fits(len(dst) - start) {
			dst = writer{l, rows, nil, run.holes}.object(dst)
		}
	})
	switch {
	case err != nil:
		return dst[:start], err
	case !l.single:
		return append(dst, ']'), nil
	case len(dst) == first:
		return append(dst, l.none...), nil
	}
	return dst, nil
}

// each calls do with each row that answers a level.
func (run *run) each(ctx context.Context, l *level, keys []schema.Value, do func(driver.Rows)) error {
	if l.statement == nil {
		return nil
	}
	statement, binding, err := run.ready(ctx, l, keys)
	if err != nil || statement == nil {
		return err
	}
	if run.apart != nil {
		if err := run.apart.down[l.reader]; err != nil {
			return err
		}
		lock := &run.apart.busy[l.reader]
		lock.Lock()
		defer lock.Unlock()
	}
	rows, err := run.readers[l.reader].Find(ctx, statement, binding)
	if err != nil {
		return err
	}
	n, most := 0, run.r.AnswerRows-int(run.rows.Load())
	defer func() { run.rows.Add(int64(n)) }()
	for rows.Next() {
		if n++; n > most {
			_ = rows.Close()
			return fault.New(fault.Limit, "the answer has more than %d rows; ask for fewer at once", run.r.AnswerRows)
		}
		if do(rows); run.err != nil {
			_ = rows.Close()
			return run.err
		}
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close()
		return err
	}
	return rows.Close()
}

// allBounds checks what the request says for limits and offsets.
func (run *run) allBounds() error {
	for _, l := range run.plan.levels {
		if err := run.bounds(l); err != nil {
			return err
		}
	}
	return nil
}

// bounds checks what the request says for limit and offset of a level.
func (run *run) bounds(l *level) error {
	if l.page != nil {
		return run.pageBounds(l.page)
	}
	if n, ok := run.number(l.limit); ok {
		switch {
		case n < 1:
			return fault.New(fault.Invalid, "limit has to be at least 1, not %d", n)
		case n > int64(run.r.Rows):
			return fault.New(fault.Limit, "limit is %d; limits.rows allows %d", n, run.r.Rows).
				With("limit", run.r.Rows).With("value", n).With("setting", "limits.rows")
		}
	}
	if n, ok := run.number(l.offset); ok && n < 0 {
		return fault.New(fault.Invalid, "offset has to be at least 0, not %d", n)
	}
	return nil
}

func (run *run) number(o query.Operand) (int64, bool) {
	switch o.Kind {
	case query.Constant:
		return o.Value.Int(), true
	case query.Arg:
		return run.binding.Args[o.Index].Int(), true
	}
	return 0, false
}

// ask runs a level for keys, writes its rows, and goes on with its links.
func (run *run) ask(ctx context.Context, l *level, keys []schema.Value) error {
	res := &run.results[l.n]
	res.bytes, res.cuts, res.groups = res.bytes[:0], res.cuts[:0], res.groups[:0]
	res.page.reset()
	res.joins.reset()
	res.places = res.places[:0]
	for i := range res.links {
		res.links[i].ordinals, res.links[i].flat = res.links[i].ordinals[:0], res.links[i].flat[:0]
		res.links[i].keys.Reset()
	}
	var n int
	var err error
	if l.joined != nil {
		n, err = run.dealt(ctx, l, keys, res)
	} else {
		n, err = run.grouped(ctx, l, keys, res)
	}
	if err != nil {
		return err
	}
	if err := run.below(ctx, l); err != nil {
		return err
	}
	res.groups = append(res.groups, n)
	if l.page != nil {
		return run.count(ctx, l.page, res, keys)
	}
	return nil
}

// grouped reads the rows of a level, which come key by key, and is how many there are.
func (run *run) grouped(ctx context.Context, l *level, keys []schema.Value, res *result) (int, error) {
	n := 0
	err := run.each(ctx, l, keys, func(rows driver.Rows) {
		for len(res.groups) <= rows.Parent() {
			res.groups = append(res.groups, n)
		}
		if l.page != nil && run.isFull(l.page, res, n) {
			return
		}
		n++
		writer{l, rows, res, run.holes}.write()
	})
	return n, err
}

// below asks the links of a level: one after the other, or those of several databases at the same
// time.
func (run *run) below(ctx context.Context, l *level) error {
	if l.lanes != nil {
		return run.atOnce(ctx, l)
	}
	for i := range l.children {
		if err := run.follow(ctx, l, i); err != nil {
			return err
		}
	}
	return nil
}

// follow asks one link of a level for the keys of its rows.
func (run *run) follow(ctx context.Context, l *level, i int) error {
	child, keys := l.children[i], run.results[l.n].links[i].flat
	if len(keys) == 0 {
		run.results[child.n].groups = run.results[child.n].groups[:0]
		run.results[child.n].page.reset()
		return nil
	}
	err := run.ask(ctx, child, keys)
	if err != nil && run.spared(ctx, child, err) {
		return nil
	}
	return err
}

// keyOf is a link's key as one value; a compound one is packed into the text.
func keyOf(values []schema.Value) key {
	if len(values) == 1 {
		v := values[0]
		return key{kind: v.Kind(), num: v.Int(), str: v.Text()}
	}
	var packed []byte
	for _, v := range values {
		packed = append(packed, byte(v.Kind()))
		packed = binary.BigEndian.AppendUint64(packed, uint64(v.Int()))
		packed = binary.BigEndian.AppendUint64(packed, uint64(len(v.Text())))
		packed = append(packed, v.Text()...)
	}
	return key{kind: schema.ListValue, str: string(packed)}
}

// row puts a row together with what its links found.
func (run *run) row(dst []byte, l *level, n int) []byte {
	if !run.fits(len(dst)) {
		return dst
	}
	res := &run.results[l.n]
	n = res.row(l, n)
	width := len(l.children) + 1
	cuts := res.cuts[n*width : (n+1)*width]
	from := 0
	if n > 0 {
		from = res.cuts[n*width-1]
	}
	for i, child := range l.children {
		dst = append(dst, res.bytes[from:cuts[i]]...)
		from = cuts[i]
		dst = run.linked(dst, child, res.links[i].ordinals[n])
	}
	return append(dst, res.bytes[from:cuts[width-1]]...)
}

// linked writes the rows that a link found for the key of an ordinal.
func (run *run) linked(dst []byte, l *level, ordinal int) []byte {
	switch {
	case ordinal < noKey:
		return appendMark(dst, noKey-1-ordinal)
	case run.apart != nil && ordinal >= 0 && run.apart.failed[l.n] != nil:
		return run.holes.mark(dst, hole{err: run.apart.failed[l.n]})
	}
	if l.page != nil {
		return run.connection(dst, l, ordinal)
	}
	groups := run.results[l.n].groups
	from, to := 0, 0 // also of a level that failed: a row without a key links to nothing
	if ordinal >= 0 && ordinal < len(groups)-1 {
		from, to = groups[ordinal], groups[ordinal+1]
	}
	switch {
	case !l.single:
		return run.list(dst, l, from, to)
	case from == to:
		return append(dst, l.none...)
	}
	return run.row(dst, l, from)
}

func (run *run) list(dst []byte, l *level, from, to int) []byte {
	dst = append(dst, '[')
	for n := from; n < to; n++ {
		if n > from {
			dst = append(dst, ',')
		}
		dst = run.row(dst, l, n)
	}
	return append(dst, ']')
}
