package graph

import (
	"github.com/tidwall/gjson"
	"github.com/vektah/gqlparser/v2/ast"
)

// Where a value is missing there is a null, also where the API promises a value. There it is the nearest value
// around it that may be null that is.

// promise is what the API promises of one value of an answer.
type promise struct {
	typ     *ast.Type
	sets    []ast.SelectionSet  // of its members
	members map[string]*promise // by response key, those that were looked up
}

// promised is what a part promises.
func (p *part) promised() *promise { return &promise{typ: p.field.Definition.Type, sets: p.sets} }

// member is the promise of a member, nil for one that nobody selected.
func (p *promise) member(key string) *promise {
	m, known := p.members[key]
	if known {
		return m
	}
	if fields := inSets(p.sets, key); len(fields) > 0 {
		m = &promise{typ: fields[0].Definition.Type}
		for _, f := range fields {
			m.sets = append(m.sets, f.SelectionSet)
		}
	}
	if p.members == nil {
		p.members = map[string]*promise{}
	}
	p.members[key] = m
	return m
}

// element is the promise of an element of a list.
func (p *promise) element() *promise {
	return &promise{typ: p.typ.Elem, sets: p.sets, members: map[string]*promise{}}
}

// keep appends a value as it may be; false where it would be null and may not.
func (p *promise) keep(dst []byte, v gjson.Result) ([]byte, bool) {
	start := len(dst)
	ok := v.Type != gjson.Null
	switch {
	case !ok:
	case v.IsArray() && p.typ.Elem != nil:
		dst, ok = p.list(dst, v)
	case v.IsObject() && len(p.sets) > 0 && p.sets[0] != nil:
		dst, ok = p.object(dst, v)
	default:
		dst = append(dst, v.Raw...)
	}
	if !ok {
		dst = append(dst[:start], "null"...)
	}
	return dst, ok || !p.typ.NonNull
}

func (p *promise) list(dst []byte, v gjson.Result) ([]byte, bool) {
	element := p.element()
	ok, first := true, true
	dst = append(dst, '[')
	v.ForEach(func(_, e gjson.Result) bool {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst, ok = element.keep(dst, e)
		return ok
	})
	return append(dst, ']'), ok
}

func (p *promise) object(dst []byte, v gjson.Result) ([]byte, bool) {
	ok, first := true, true
	dst = append(dst, '{')
	v.ForEach(func(key, e gjson.Result) bool {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, key.Raw...), ':')
		if m := p.member(key.String()); m != nil {
			dst, ok = m.keep(dst, e)
		} else {
			dst = append(dst, e.Raw...)
		}
		return ok
	})
	return append(dst, '}'), ok
}

// inSets are the fields of a response key in selection sets and their fragments.
func inSets(sets []ast.SelectionSet, key string) []*ast.Field {
	var found []*ast.Field
	for _, set := range sets {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				if s.Alias == key {
					found = append(found, s)
				}
			case *ast.InlineFragment:
				found = append(found, inSets([]ast.SelectionSet{s.SelectionSet}, key)...)
			case *ast.FragmentSpread:
				found = append(found, inSets([]ast.SelectionSet{s.Definition.SelectionSet}, key)...)
			}
		}
	}
	return found
}
