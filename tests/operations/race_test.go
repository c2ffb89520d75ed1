//go:build race

package operations

// sparing is how many times less is asked for with the race detector, which takes ten times as long.
const sparing = 5
