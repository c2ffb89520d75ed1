package sqlite

import (
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// Whatever the decimals, their sum is exact and their average rounded once.
func TestDecimals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		d := decimals{scale: int64(r.IntN(8))}
		sum := new(big.Rat)
		for range 1 + r.IntN(6) {
			text := randomDecimal(r)
			d.add(text)
			n, _ := new(big.Rat).SetString(text)
			sum.Add(sum, n)
		}
		if got, _ := new(big.Rat).SetString(canonical(d.sum())); d.wrong || got.Cmp(sum) != 0 {
			t.Fatalf("the sum is %s, want %s", got, sum)
		}
		average := canonical(d.average())
		want := new(big.Rat).Quo(sum, big.NewRat(d.n, 1)).FloatString(int(d.scale)) // half away from zero
		got, _ := new(big.Rat).SetString(average)
		if wanted, _ := new(big.Rat).SetString(want); got.Cmp(wanted) != 0 {
			t.Fatalf("the average of %s by %d is %s, want %s", sum, d.n, average, want)
		}
	}
}

func randomDecimal(r *rand.Rand) string {
	digits := func(most int) string {
		var b strings.Builder
		for range 1 + r.IntN(most) {
			b.WriteString(strconv.Itoa(r.IntN(10)))
		}
		return b.String()
	}
	most := []int{3, 9, 20}[r.IntN(3)]
	text := digits(most)
	if r.IntN(2) == 0 {
		text += "." + digits(most)
	}
	if r.IntN(2) == 0 {
		text = "-" + text
	}
	return text
}

// The billionths of many decimals are kept where they no longer fit into 64 bits.
func TestManyDecimals(t *testing.T) {
	var d decimals
	for range 100 {
		d.add("999999999.999999999")
	}
	if got := canonical(d.sum()); got != "99999999999.9999999" {
		t.Error(got)
	}
	d.add("many")
	if !d.wrong {
		t.Error("many is a decimal")
	}
}
