package migrate

import (
	"slices"

	"spacecloud/schema"
)

// memory is what the ledger keeps of a migration, to undo it and to see what others change.
type memory struct {
	// Sources are the schema that the database was brought to; none for a database of which
	// nothing was wanted.
	Sources []schema.Source `json:"sources,omitempty"`
	Shape   shape           `json:"shape,omitempty"` // the database after it
	Renames []renaming      `json:"renames,omitempty"`
	Lost    []string        `json:"lost,omitempty"` // what it lost, in words
}

// with adds what another did.
func (m memory) with(renames []renaming, lost []string) memory {
	for _, r := range renames {
		if !slices.Contains(m.Renames, r) {
			m.Renames = append(slices.Clip(m.Renames), r)
		}
	}
	for _, l := range lost {
		if !slices.Contains(m.Lost, l) {
			m.Lost = append(slices.Clip(m.Lost), l)
		}
	}
	return m
}

// memory is what is to be kept of the plan once steps of it are done.
func (p Plan) memory(steps []Step) memory {
	m := p.carried.with(p.renames, nil)
	m.Sources = p.sources
	for _, s := range steps {
		if s.rename != (renaming{}) {
			m = m.with([]renaming{s.rename}, nil)
		}
		for _, c := range s.Changes {
			if c.lost != "" {
				m = m.with(nil, []string{c.lost})
			}
		}
	}
	return m
}

// aims says where the plan leads.
func (p *Plan) aims(sources []schema.Source, o Options) {
	p.sources = sources
	if o.undo != nil {
		p.Undoes, p.Lost, p.bare = &o.undo.entry, o.undo.last.Lost, o.StructureOnly
	}
}

// standing are the migrations that were done and not undone, the oldest first.
func standing(entries []Entry) []Entry {
	var stand []Entry
	for _, e := range entries {
		switch e.Kind {
		case migrated:
			stand = append(stand, e)
		case undone:
			stand = slices.DeleteFunc(stand, func(s Entry) bool { return s.ID == e.Undoes })
		}
	}
	return stand
}

// open is the migration that did not end, nil if the last one did.
func open(entries []Entry) *Entry {
	for _, e := range slices.Backward(entries) {
		switch e.Kind {
		case unfinished, begun:
			return &e
		case migrated, undone:
			return nil
		}
	}
	return nil
}
