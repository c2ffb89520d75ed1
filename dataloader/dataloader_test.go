package dataloader

import (
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
