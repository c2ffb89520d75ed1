package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// databaseCPU is what the processes of a database server have used of all processors until now.
type databaseCPU func() time.Duration

// threadsOf is the time of all threads of a process that run now, in the kernel's nanoseconds: its
// ticks of 10 ms would be too coarse for turns of a few.
func threadsOf(pid int) time.Duration {
	var sum time.Duration
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		ran, _, _ := strings.Cut(string(text), " ")
		n, _ := strconv.ParseInt(ran, 10, 64)
		sum += time.Duration(n)
	}
	return sum
}

// childrenOf is the time of the processes that a process has started, as PostgreSQL does for each
// connection.
func childrenOf(pid int) time.Duration {
	var sum time.Duration
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for child := range strings.FieldsSeq(string(text)) {
			n, _ := strconv.Atoi(child)
			sum += threadsOf(n)
		}
	}
	return sum
}

// parentOf is the process that started another one.
func parentOf(b *testing.B, pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("no /proc to read the server's CPU from")
	}
	var parent int
	_, after, _ := strings.Cut(string(status), "PPid:")
	_, err = fmt.Sscan(after, &parent)
	must(b, err)
	return parent
}
