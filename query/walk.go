package query

// Walk calls do for every operand of a level.
func Walk(l *Level, do func(Operand)) {
	for _, c := range l.Columns {
		walkWhere(c.When, do)
	}
	walkWhere(l.Where, do)
	if l.Groups != nil {
		walkWhere(l.Groups.Having, do)
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
	case IsNull:
		do(w.Operand)
	case Some:
		walkWhere(w.Where, do)
	case Exists:
		walkWhere(w.Where, do)
	}
}
