// Package dataloader makes many questions by key into few, by level: the keys that the rows of a
// level ask for are collected while they are read, each is asked for once, and an answer is
// found by the ordinal of its key. No clock, no order to keep; it knows nothing of ours.
package dataloader

// few is how many keys are found by looking at each, before a map pays.
const few = 16

// Keys are the distinct keys of a level in the order in which they were first seen. The zero
// value is ready.
type Keys[K comparable] struct {
	all      []K
	ordinals map[K]int // once there are more than few
}

// Add is the ordinal of a key, from 0: a new one, or that of the same key before.
func (k *Keys[K]) Add(key K) int {
	if i, ok := k.Find(key); ok {
		return i
	}
	i := len(k.all)
	k.all = append(k.all, key)
	if i == few {
		k.index()
	}
	if i > few {
		k.ordinals[key] = i
	}
	return i
}

// Find is the ordinal of a key, and whether it was added.
func (k *Keys[K]) Find(key K) (int, bool) {
	if len(k.all) > few {
		i, ok := k.ordinals[key]
		return i, ok
	}
	for i, seen := range k.all {
		if seen == key {
			return i, true
		}
	}
	return 0, false
}

func (k *Keys[K]) index() {
	if k.ordinals == nil {
		k.ordinals = make(map[K]int, 4*few)
	}
	for i, key := range k.all {
		k.ordinals[key] = i
	}
}

// Len is how many distinct keys there are.
func (k *Keys[K]) Len() int { return len(k.all) }

// All are the keys by ordinal; not to be changed.
func (k *Keys[K]) All() []K { return k.all }

// Reset forgets the keys and keeps their room.
func (k *Keys[K]) Reset() {
	clear(k.all)
	k.all = k.all[:0]
	clear(k.ordinals)
}
