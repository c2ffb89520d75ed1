package query

// Raise is a condition that came to stand inside of one more: what it says of rows outside of
// itself lies one step further out.
func Raise(w Where) Where {
	if w == nil || !Outward(w) {
		return w
	}
	return raise(w, 0)
}

// raise is the same for a condition that stands inside so many others of the one that moved.
func raise(w Where, inside int) Where {
	further := func(o Operand) Operand {
		if o.Kind == Column && o.Up > inside {
			o.Up++
		}
		return o
	}
	deeper := func(w Where) Where { return raise(w, inside+1) }
	switch w := w.(type) {
	case And:
		return And(raiseAll(w, inside))
	case Or:
		return Or(raiseAll(w, inside))
	case Not:
		return Not{Where: raise(w.Where, inside)}
	case Untrue:
		return Untrue{Where: raise(w.Where, inside)}
	case Compare:
		return Compare{Left: further(w.Left), Op: w.Op, Right: further(w.Right)}
	case Among:
		columns := make([]Operand, len(w.Columns))
		for i, c := range w.Columns {
			columns[i] = further(c)
		}
		return Among{Columns: columns, Keys: w.Keys}
	case IsNull:
		return IsNull{Operand: further(w.Operand)}
	case Empty:
		return Empty{Operand: further(w.Operand)}
	case JSON:
		w.Doc, w.Path, w.Right = further(w.Doc), further(w.Path), further(w.Right)
		return w
	case Search:
		w.Words = further(w.Words)
		return w
	case Some:
		return Some{Link: w.Link, Through: deeper(w.Through), Where: deeper(w.Where)}
	case One:
		return One{Link: w.Link, If: deeper(w.If), Where: deeper(w.Where)}
	case Count:
		w.Through, w.Where, w.Right = deeper(w.Through), deeper(w.Where), further(w.Right)
		return w
	case Exists:
		return Exists{Type: w.Type, Where: deeper(w.Where)}
	}
	return w
}

func raiseAll(ws []Where, inside int) []Where {
	out := make([]Where, len(ws))
	for i, w := range ws {
		out[i] = raise(w, inside)
	}
	return out
}
