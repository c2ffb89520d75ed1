package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/fault"
)

// Automatic persisted queries: a client sends the hash of its document, and the document only
// when the hash is not known.
const (
	persistedKept  = 1_000
	persistedBytes = 8 << 20
)

// persisted is an extension of gqlgen's handler. gqlgen's own decodes by reflection, knows no
// bound in bytes, and answers one text to everything that is wrong.
type persisted struct{ kept *lru[string] }

func newPersisted() persisted {
	return persisted{newLRU[string](persistedKept, persistedBytes, func(hash, query string) int { return len(hash) + len(query) })}
}

// ExtensionName implements graphql.HandlerExtension.
func (persisted) ExtensionName() string { return "PersistedQueries" }

// Validate implements graphql.HandlerExtension.
func (persisted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (p persisted) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	hash, named, err := nameOf(params.Extensions)
	switch {
	case err != nil:
		return gqlerror.Wrap(err)
	case !named:
		return nil
	}
	if params.Query != "" {
		return p.keep(hash, params.Query)
	}
	var ok bool
	if params.Query, ok = p.kept.get(hash); !ok {
		// The text and the code are those that clients know.
		g := gqlerror.Errorf("PersistedQueryNotFound")
		g.Extensions = map[string]any{"code": "PERSISTED_QUERY_NOT_FOUND"}
		return g
	}
	return nil
}

func (p persisted) keep(hash, query string) *gqlerror.Error {
	sum := sha256.Sum256([]byte(query))
	if hex.EncodeToString(sum[:]) != hash {
		return gqlerror.Wrap(fault.New(fault.Invalid,
			"extensions.persistedQuery.sha256Hash is not the SHA-256 of the query in lower-case hexadecimal"))
	}
	p.kept.add(hash, query)
	return nil
}

func hashOf(given any) (string, error) {
	object, _ := given.(map[string]any)
	if version, _ := object["version"].(json.Number); version != "1" {
		return "", fault.New(fault.Invalid, "extensions.persistedQuery.version has to be 1")
	}
	hash, _ := object["sha256Hash"].(string)
	if hash == "" {
		return "", fault.New(fault.Invalid, "extensions.persistedQuery.sha256Hash has to be a string")
	}
	return hash, nil
}
