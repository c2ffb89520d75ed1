package resolvers

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// split finds the children of a level that may be asked at the same time: those that stay in one database
// go one after the other, for it has one reader, and each that goes on to another goes alone. It
// returns the only database that the level and all below it ask, or -1.
func (l *level) split() int {
	only := l.reader
	if l.questions != nil {
		only = -1
	}
	var lanes [][]int
	byDatabase := map[int]int{}
	for i, child := range l.children {
		db := child.split()
		if db != only {
			only = -1
		}
		lane, shared := byDatabase[db]
		if db < 0 || !shared {
			lane = len(lanes)
			lanes = append(lanes, nil)
			byDatabase[db] = lane
		}
		lanes[lane] = append(lanes[lane], i)
	}
	if len(lanes) > 1 {
		l.lanes = lanes
	}
	return only
}

// atOnce follows the links of a level, the lanes at the same time. The first error ends the others.
func (run *run) atOnce(ctx context.Context, l *level) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	var once sync.Once
	var first error
	AtOnce(len(l.lanes), func(lane int) {
		for _, i := range l.lanes[lane] {
			if err := run.follow(ctx, l, i); err != nil {
				once.Do(func() { first = err })
				end()
				return
			}
		}
	})
	return first
}

// AtOnce calls do with 0 to n-1, all at the same time, and returns when all have returned. A panic of one is
// a panic of the caller's, when the others have ended.
func AtOnce(n int, do func(int)) {
	var others sync.WaitGroup
	panics := make([]any, n)
	for i := 1; i < n; i++ {
		others.Go(func() { panics[i] = caught(i, do) })
	}
	panics[0] = caught(0, do)
	others.Wait()
	for _, p := range panics {
		if p != nil {
			panic(p)
		}
	}
}

// caught is what do panics with, and where, or nil.
func caught(i int, do func(int)) (cause any) {
	defer func() {
		if p := recover(); p != nil {
			cause = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
	}()
	do(i)
	return nil
}
