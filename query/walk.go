package query

import "slices"

// Walk calls do for every operand of a level.
func Walk(l *Level, do func(Operand)) {
	for _, c := range l.Columns {
		walkWhere(c.When, do)
	}
	walkWhere(l.Where, do)
	for _, o := range l.OrderBy {
		walkWhere(o.When, do)
	}
	if l.Groups != nil {
		walkWhere(l.Groups.Having, do)
	}
	if l.Via != nil {
		walkWhere(l.Via.Through, do)
	}
	do(l.Limit)
	do(l.Offset)
}

// WalkWrite calls do for every operand of a write.
func WalkWrite(w *Write, do func(Operand)) {
	for _, a := range w.Set {
		do(a.Value)
	}
	walkWhere(w.Where, do)
}

func walkWhere(w Where, do func(Operand)) {
	switch w := w.(type) {
	case And:
		for _, part := range w {
			walkWhere(part, do)
		}
	case Or:
		for _, part := range w {
			walkWhere(part, do)
		}
	case Not:
		walkWhere(w.Where, do)
	case Untrue:
		walkWhere(w.Where, do)
	case Compare:
		do(w.Left)
		do(w.Right)
	case Among:
		for _, c := range w.Columns {
			do(c)
		}
		do(w.Keys)
	case IsNull:
		do(w.Operand)
	case Empty:
		do(w.Operand)
	case JSON:
		do(w.Doc)
		do(w.Path)
		do(w.Right)
	case Search:
		do(w.Words)
	case Some:
		walkWhere(w.Through, do)
		walkWhere(w.Where, do)
	case One:
		walkWhere(w.If, do)
		walkWhere(w.Where, do)
	case Count:
		walkWhere(w.Through, do)
		walkWhere(w.Where, do)
		do(w.Right)
	case Exists:
		walkWhere(w.Where, do)
	}
}

// LooksElsewhere is whether a condition on a row looks at other rows.
func LooksElsewhere(w Where) bool {
	switch w := w.(type) {
	case And:
		return slices.ContainsFunc(w, LooksElsewhere)
	case Or:
		return slices.ContainsFunc(w, LooksElsewhere)
	case Not:
		return LooksElsewhere(w.Where)
	case Untrue:
		return LooksElsewhere(w.Where)
	case Some, One, Count, Exists:
		return true
	}
	elsewhere := false
	walkWhere(w, func(o Operand) { elsewhere = elsewhere || len(o.Via) > 0 })
	return elsewhere
}
