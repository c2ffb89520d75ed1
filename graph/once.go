package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/resolvers"
)

const (
	idempotencyHeader = "Idempotency-Key"
	longestKey        = 255
	transactionHeader = "X-Transaction"
)

var errOnceIsForRows = fault.New(fault.Invalid, "an Idempotency-Key is for changes of rows; code that is called keeps no answer")

// single refuses changes of several databases where the request's X-Transaction says that it must be
// one transaction: several commit one after the other, and a crash between two leaves one undone.
func single(oc *graphql.OperationContext, written []string) error {
	wanted, asked := oc.Headers[transactionHeader]
	if !asked {
		return nil
	}
	if len(wanted) != 1 || wanted[0] != "single" {
		return fault.New(fault.Invalid, "the header %s knows one value: single", transactionHeader)
	}
	if len(written) > 1 {
		return fault.New(fault.Invalid, "the request changes %d databases, which is not one transaction; send one request for each, or leave %s out",
			len(written), transactionHeader)
	}
	return nil
}

// write makes the changes of a request, or answers as the first time when its Idempotency-Key
// says that it is asked again.
func (e *executable) write(ctx context.Context, oc *graphql.OperationContext, changes []resolvers.Change) ([]byte, error) {
	if err := single(oc, e.resolvers.Written(changes)); err != nil {
		return nil, err
	}
	keys, asked := oc.Headers[idempotencyHeader]
	if !asked {
		return e.resolvers.Write(ctx, auth.From(ctx), changes, bufferOf(ctx))
	}
	switch {
	case len(keys) != 1 || keys[0] == "":
		return nil, fault.New(fault.Invalid, "the header %s holds one key that is not empty", idempotencyHeader)
	case len(keys[0]) > longestKey:
		return nil, fault.New(fault.Invalid, "the %s is %d bytes long; %d are the most", idempotencyHeader, len(keys[0]), longestKey)
	}
	digest, err := digestOf(oc)
	if err != nil {
		return nil, err
	}
	return e.resolvers.WriteOnce(ctx, auth.From(ctx), resolvers.Once{Key: keys[0], Digest: digest}, changes, bufferOf(ctx))
}

// digestOf tells what is asked from anything else that could be.
func digestOf(oc *graphql.OperationContext) (string, error) {
	text, err := json.Marshal([]any{oc.RawQuery, oc.OperationName, oc.Variables})
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "internal error")
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
