package sqlite

import (
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
)

const pointerSize = unsafe.Sizeof(uintptr(0))

// SQLite's memory is its own: what it points to never moves and is not Go's to free.

// view is n bytes of SQLite's memory, as long as SQLite leaves them there.
func view(p uintptr, n int32) []byte {
	if p == 0 || n <= 0 {
		return nil
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), n)
}

// viewText is the same as a string: it must be copied before SQLite moves on.
func viewText(p uintptr, n int32) string { return viewString(view(p, n)) }

func viewString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// pointerAt is the pointer that stands at p.
func pointerAt(p uintptr) uintptr {
	return **(**uintptr)(unsafe.Pointer(&p))
}

// cFunction is a Go function as a pointer that SQLite calls. The function must be kept alive
// by Go for as long: SQLite holds only the number.
func cFunction[T any](f T) uintptr {
	return *(*uintptr)(unsafe.Pointer(&struct{ f T }{f}))
}

// arena is a piece of SQLite's memory that grows and shrinks: the texts of bound values.
type arena struct {
	at   uintptr
	size int
}

const (
	arenaLeast = 512
	arenaKept  = 1 << 20 // what is larger is given back when something smaller comes
)

// copy replaces what the arena holds. It has an address even when it holds nothing: a text
// without one would be null.
func (a *arena) copy(tls *libc.TLS, from []byte) bool {
	if len(from) > a.size || a.at == 0 || a.size > arenaKept && len(from) < arenaKept {
		a.free(tls)
		size := max(len(from)+len(from)/2, arenaLeast)
		if a.at = libc.Xmalloc(tls, types.Size_t(size)); a.at == 0 {
			return false
		}
		a.size = size
	}
	copy(view(a.at, int32(len(from))), from)
	return true
}

func (a *arena) free(tls *libc.TLS) {
	if a.at != 0 {
		libc.Xfree(tls, a.at)
	}
	*a = arena{}
}
