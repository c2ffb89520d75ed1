// Package dataloader asks many questions by key as few: the keys of a level are gathered,
// each once, asked for together and answered by key. There is no clock, no order to keep, and
// nothing of what is loaded is known here.
package dataloader

import "context"

// Fetch answers keys, which are all different. A key without an answer may be absent.
type Fetch[K comparable, V any] func(ctx context.Context, keys []K) (map[K][]V, error)

// Load is what fetch answers to keys, of which it is asked each once and at most limit at a
// time; a limit below 1 is none. The first error ends it, as does the end of ctx.
func Load[K comparable, V any](ctx context.Context, keys []K, limit int, fetch Fetch[K, V]) (map[K][]V, error) {
	var different Keys[K]
	for _, each := range keys {
		different.Add(each)
	}
	answers := make(map[K][]V, different.Len())
	for rest := different.All(); len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := len(rest)
		if limit > 0 {
			n = min(n, limit)
		}
		if err := ask(ctx, rest[:n:n], fetch, answers); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return answers, nil
}

// ask adds to answers what fetch says of keys, and nothing that it says of others.
func ask[K comparable, V any](ctx context.Context, keys []K, fetch Fetch[K, V], answers map[K][]V) error {
	found, err := fetch(ctx, keys)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if values, ok := found[key]; ok {
			answers[key] = values
		}
	}
	return nil
}
