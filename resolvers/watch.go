package resolvers

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/live"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Shown is how the answer of a find is shown to who waits for it.
type Shown struct {
	// As tells apart what differs in more than the rows: answers of equal texts are the same bytes.
	As []byte
	// Ask makes the answer for a caller as Run does, and all around it.
	Ask func(ctx context.Context, c *auth.Caller) ([]byte, error)
}

// Watch waits for the answers of the find for the caller, until ctx ends. Who waits for the same with the
// same values shares what is asked and what is answered. The rules are the caller's, as they are each time.
// An error is one of what is asked, or of the caller, and not of this moment.
func (f *Found) Watch(ctx context.Context, c *auth.Caller, args []schema.Value, show Shown) (*live.Watch, error) {
	p, err := f.plan(c, strict)
	if err != nil {
		return nil, err
	}
	run := p.start(f.r, c, args)
	defer p.finish(run)
	if err := run.allBounds(); err != nil {
		return nil, err
	}
	q := live.Query{
		Reads: p.reads(run.binding), Timely: f.r.Rules.Timely(f.uses), Caller: holder(c), Expires: expiry(c),
		Ask: func(ctx context.Context, now time.Time) ([]byte, error) {
			asking := *c
			asking.Now = now
			return show.Ask(ctx, &asking)
		},
	}
	if q.Key, err = f.key(c, p, q.Timely, run.binding, show.As); err != nil {
		return nil, err
	}
	return f.r.Live.Join(ctx, q)
}

// expiry is when a caller's token does, or a moment after: doors that can say so in their own way go first.
func expiry(c *auth.Caller) time.Time {
	if c.Expires.IsZero() {
		return c.Expires
	}
	return c.Until().Add(time.Second)
}

// key is the same for callers who are answered alike. What the rules make of the claims may change with the
// time, so then all of the caller has to be the same.
func (f *Found) key(c *auth.Caller, p *plan, timely bool, b query.Binding, as []byte) (live.Key, error) {
	shape := f.r.Rules.Shape(nil, c, p.errorUses(f.uses))
	who := appendValues(nil, b.Claims)
	if timely {
		var err error
		if who, err = json.Marshal([]any{c.Claims, c.Request}); err != nil {
			return live.Key{}, fault.Wrap(fault.Internal, err, "claims cannot be told apart")
		}
	}
	return live.KeyOf(as, shape, appendValues(nil, b.Args), who), nil
}

// errorUses are the rules that the answer depends on, with those of the keys that an error in it may name.
func (p *plan) errorUses(uses []rules.Use) []rules.Use {
	uses = slices.Clip(uses)
	for _, l := range p.levels {
		for _, f := range l.typ.Primary {
			uses = append(uses, rules.Use{Type: l.typ, Field: f, Verb: query.Read})
		}
	}
	return uses
}

// appendValues appends values so that others are never the same text.
func appendValues(dst []byte, values []schema.Value) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	for _, v := range values {
		dst = append(dst, byte(v.Kind()))
		dst = binary.AppendUvarint(dst, uint64(v.Int()))
		dst = binary.AppendUvarint(dst, uint64(len(v.Text())))
		dst = append(dst, v.Text()...)
		if v.Kind() == schema.ListValue {
			dst = appendValues(dst, v.List())
		}
	}
	return dst
}

// holder is whose live queries are counted together: a caller over all requests, or an address.
func holder(c *auth.Caller) string {
	if who, known := c.Identity(); known {
		return who
	}
	return "from " + c.Request.IP
}
