package graph

import (
	"context"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"
)

// document is a parsed and checked document with what follows from it. It is evicted as one.
type document struct {
	ast        *ast.QueryDocument
	operations []*operation
}

// operation is what is computed once for an operation, however often it runs.
type operation struct {
	def *ast.OperationDefinition
	doc *ast.QueryDocument
	// plans are how it is run.
	plans plans

	once    sync.Once
	measure measure
}

// newDocument wraps a document before anybody else sees it. It drops @defer, which a server may
// ignore: over one HTTP answer, what is deferred would be lost.
func newDocument(doc *ast.QueryDocument) *document {
	d := &document{ast: doc, operations: make([]*operation, len(doc.Operations))}
	for i, def := range doc.Operations {
		d.operations[i] = &operation{def: def, doc: doc}
		dropDefer(def.SelectionSet)
	}
	for _, f := range doc.Fragments {
		dropDefer(f.SelectionSet)
	}
	return d
}

func dropDefer(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			dropDefer(s.SelectionSet)
		case *ast.InlineFragment:
			s.Directives = withoutDefer(s.Directives)
			dropDefer(s.SelectionSet)
		case *ast.FragmentSpread:
			s.Directives = withoutDefer(s.Directives)
		}
	}
}

func withoutDefer(list ast.DirectiveList) ast.DirectiveList {
	var kept ast.DirectiveList
	for _, d := range list {
		if d.Name != "defer" {
			kept = append(kept, d)
		}
	}
	return kept
}

// operation is the one of that definition.
func (d *document) operation(def *ast.OperationDefinition) *operation {
	for _, o := range d.operations {
		if o.def == def {
			return o
		}
	}
	return &operation{def: def, doc: d.ast} // not of this document: good for one run
}

// lru keeps what was used last, bounded by entries and by bytes.
type lru[V any] struct {
	most int                           // bytes
	size func(key string, value V) int // bytes of an entry
	mu   sync.Mutex
	// guarded by mu:
	entries *simplelru.LRU[string, V]
	bytes   int
}

func newLRU[V any](entries, bytes int, size func(string, V) int) *lru[V] {
	c := &lru[V]{most: bytes, size: size}
	c.entries, _ = simplelru.NewLRU(entries, func(key string, v V) { c.bytes -= size(key, v) }) // entries > 0
	return c
}

func (c *lru[V]) get(key string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries.Get(key)
}

func (c *lru[V]) has(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries.Contains(key)
}

// add keeps v, unless it alone would push out much of what others use. A key always stands for
// values of one size.
func (c *lru[V]) add(key string, v V) {
	size := c.size(key, v)
	if size > c.most/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.entries.Contains(key) {
		c.bytes += size
	}
	c.entries.Add(key, v)
	for c.bytes > c.most {
		c.entries.RemoveOldest()
	}
}

// The query cache. A document takes up to 160 times the bytes of its text: a field of one
// letter is 300 bytes.
const (
	documentsKept     = 1_000
	documentBytes     = 64 << 20
	documentBytesEach = 1 << 10
	documentFactor    = 160
)

// documents is the graphql.Cache of one schema. It leaves the document it gave or took in the
// request, where operationOf finds it.
type documents struct{ kept *lru[*document] }

func newDocuments() documents {
	return documents{newLRU[*document](documentsKept, documentBytes, func(text string, _ *document) int {
		return documentBytesEach + documentFactor*len(text)
	})}
}

// Get implements graphql.Cache.
func (c documents) Get(ctx context.Context, text string) (*ast.QueryDocument, bool) {
	d, ok := c.kept.get(text)
	if !ok {
		return nil, false
	}
	requestOf(ctx).document = d
	return d.ast, true
}

// Add implements graphql.Cache.
func (c documents) Add(ctx context.Context, text string, doc *ast.QueryDocument) {
	d := newDocument(doc)
	requestOf(ctx).document = d
	c.kept.add(text, d)
}

// has is whether a document is kept.
func (c documents) has(text string) bool { return c.kept.has(text) }
