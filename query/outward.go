package query

// Outward is whether a condition on a row looks at a row outside of it: one that it is nested in.
func Outward(w Where) bool { return outward(w, 0) }

// outward is the same for a condition that stands inside so many others of w.
func outward(w Where, inside int) bool {
	beyond := func(os ...Operand) bool {
		for _, o := range os {
			if o.Kind == Column && o.Up > inside {
				return true
			}
		}
		return false
	}
	some := func(ws []Where) bool {
		for _, each := range ws {
			if outward(each, inside) {
				return true
			}
		}
		return false
	}
	switch w := w.(type) {
	case And:
		return some(w)
	case Or:
		return some(w)
	case Not:
		return outward(w.Where, inside)
	case Untrue:
		return outward(w.Where, inside)
	case Compare:
		return beyond(w.Left, w.Right)
	case Among:
		return beyond(w.Columns...)
	case IsNull:
		return beyond(w.Operand)
	case Empty:
		return beyond(w.Operand)
	case JSON:
		return beyond(w.Doc, w.Path, w.Right)
	case Search:
		return beyond(w.Words)
	case Some:
		return outward(w.Through, inside+1) || outward(w.Where, inside+1)
	case One:
		return outward(w.If, inside+1) || outward(w.Where, inside+1)
	case Count:
		return outward(w.Through, inside+1) || outward(w.Where, inside+1) || beyond(w.Right)
	case Exists:
		return outward(w.Where, inside+1)
	}
	return false
}
