package rules

import (
	"spacecloud/query"
	"spacecloud/schema"
)

// and is the conjunction with its constants folded. What is unknown stays: under a Not it
// must not become true.
func and(parts ...query.Where) query.Where {
	var out query.And // of constants alone it takes no memory
	unknown := false
	for _, p := range parts {
		switch w := p.(type) {
		case nil:
		case query.And:
			out = append(out, w...)
		case query.Truth:
			if w == query.False {
				return query.False
			}
			unknown = unknown || w == query.Unknown
		default:
			out = append(out, p)
		}
	}
	if unknown {
		out = append(out, query.Unknown)
	}
	switch len(out) {
	case 0:
		return query.True
	case 1:
		return out[0]
	}
	return out
}

// or is the disjunction with its constants folded.
func or(parts ...query.Where) query.Where {
	out := make(query.Or, 0, len(parts))
	unknown := false
	for _, p := range parts {
		switch w := p.(type) {
		case query.Or:
			out = append(out, w...)
		case query.Truth:
			if w == query.True {
				return query.True
			}
			unknown = unknown || w == query.Unknown
		default:
			out = append(out, p)
		}
	}
	if unknown {
		out = append(out, query.Unknown)
	}
	switch len(out) {
	case 0:
		return query.False
	case 1:
		return out[0]
	}
	return out
}

func not(w query.Where) query.Where {
	switch w := w.(type) {
	case query.Truth:
		return negate(w)
	case query.Not:
		return w.Where
	}
	return query.Not{Where: w}
}

func negate(t query.Truth) query.Truth {
	switch t {
	case query.True:
		return query.False
	case query.False:
		return query.True
	}
	return query.Unknown
}

func untrue(w query.Where) query.Where {
	switch w := admitting(w).(type) {
	case query.Truth:
		return negate(w)
	default:
		return query.Untrue{Where: w}
	}
}

// someOf is query.Some, folded.
func someOf(link *schema.Field, w query.Where) query.Where { return someThrough(link, nil, w) }

// someThrough is query.Some by way of join rows that meet through, folded.
func someThrough(link *schema.Field, through, w query.Where) query.Where {
	w = admitting(w)
	if w == query.False || through == query.False {
		return query.False
	}
	return query.Some{Link: link, Through: through, Where: w}
}

// admitting is w where only true counts, so that unknown is as good as false: at the top of
// a rule and of what Some, Exists and Untrue ask.
func admitting(w query.Where) query.Where {
	switch w := w.(type) {
	case query.Truth:
		if w == query.Unknown {
			return query.False
		}
	case query.And:
		return and(eachAdmitting(w)...)
	case query.Or:
		return or(eachAdmitting(w)...)
	}
	return w
}

func eachAdmitting(ws []query.Where) []query.Where {
	out := make([]query.Where, len(ws))
	for i, w := range ws {
		out[i] = admitting(w)
	}
	return out
}
