//go:build !race

package operations

// sparing is how many times less is asked for.
const sparing = 1
