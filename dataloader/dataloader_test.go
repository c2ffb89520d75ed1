package dataloader

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/quick"
)

// Whatever is added, equal keys and only those have one ordinal, and All[ordinal] is the key.
func TestKeysAreNumberedOnce(t *testing.T) {
	law := func(keys []uint8, again []uint16) bool {
		var k Keys[uint16]
		for _, each := range keys {
			k.Add(uint16(each))
		}
		k.Reset()
		numbers := map[uint16]int{}
		for _, each := range again {
			each %= 40 // so that some are equal, on both sides of few
			i := k.Add(each)
			if before, ok := numbers[each]; ok && before != i || k.All()[i] != each {
				return false
			}
			numbers[each] = i
		}
		return k.Len() == len(numbers) && len(k.All()) == len(numbers)
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 500}); err != nil {
		t.Error(err)
	}
}

// The order is that of coming.
func TestKeysKeepTheirOrder(t *testing.T) {
	var k Keys[string]
	for _, each := range []string{"b", "a", "b", "c", "a"} {
		k.Add(each)
	}
	if want := []string{"b", "a", "c"}; !slices.Equal(k.All(), want) {
		t.Errorf("%v, want %v", k.All(), want)
	}
}

func TestKeysDoNotAllocateAgain(t *testing.T) {
	var k Keys[int]
	for name, n := range map[string]int{"few": few, "many": 10 * few} {
		level := func() {
			k.Reset()
			for i := range 3 * n {
				k.Add(i % n)
			}
		}
		level()
		if got := testing.AllocsPerRun(20, level); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

func TestFewKeysNeedNoMap(t *testing.T) {
	var k Keys[int]
	for i := range 5 * few {
		k.Add(i % few)
	}
	if k.ordinals != nil {
		t.Error("a map was made")
	}
}

// Whatever the keys and the limit, Load answers as asking one by one would, asks for no key
// twice, and for no more than the limit at once.
func TestLoadIsLikeAskingOneByOne(t *testing.T) {
	answer := func(key uint8) []int { return slices.Repeat([]int{int(key)}, int(key%4)) }
	law := func(keys []uint8, limit int8) bool {
		asked := map[uint8]bool{}
		ok := true
		fetch := func(_ context.Context, batch []uint8) (map[uint8][]int, error) {
			ok = ok && len(batch) > 0 && (limit < 1 || len(batch) <= int(limit))
			answers := map[uint8][]int{77: {1}, 78: nil} // nobody may have asked
			for _, each := range batch {
				ok = ok && !asked[each]
				asked[each] = true
				delete(answers, each)
				if found := answer(each); len(found) > 0 {
					answers[each] = found
				}
			}
			return answers, nil
		}
		got, err := Load(t.Context(), keys, int(limit), fetch)
		want := map[uint8][]int{}
		for _, each := range keys {
			if found := answer(each); len(found) > 0 {
				want[each] = found
			}
		}
		return ok && err == nil && maps.EqualFunc(got, want, slices.Equal)
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 500}); err != nil {
		t.Error(err)
	}
}

func TestLoadEndsWithTheFirstError(t *testing.T) {
	failure := errors.New("no")
	calls := 0
	fetch := func(context.Context, []int) (map[int][]int, error) {
		calls++
		return nil, failure
	}
	if _, err := Load(t.Context(), []int{1, 2, 3}, 1, fetch); !errors.Is(err, failure) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	fetch := func(context.Context, []int) (map[int][]int, error) {
		calls++
		cancel()
		return map[int][]int{}, nil
	}
	if _, err := Load(ctx, []int{1, 2, 3}, 1, fetch); !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func BenchmarkKeys(b *testing.B) {
	for name, n := range map[string]int{"few": 10, "many": 1000} {
		b.Run(name, func(b *testing.B) {
			var k Keys[int64]
			b.ReportAllocs()
			for b.Loop() {
				k.Reset()
				for i := range 2 * n {
					k.Add(int64(i % n))
				}
			}
		})
	}
}
