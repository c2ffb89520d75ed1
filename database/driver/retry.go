package driver

import "errors"

// Retry marks the error of a transaction that failed only because of others beside it: a
// deadlock, a serialization failure. It promises that nothing of the transaction has happened,
// so that all of it may be done again from its start. A commit of which nobody knows whether it
// happened must not be marked. The fault that clients may see is err's.
func Retry(err error) error {
	if err == nil {
		return nil
	}
	return &retry{err}
}

// MayRetry is whether an error in err's tree is marked by Retry.
func MayRetry(err error) bool {
	_, ok := errors.AsType[*retry](err)
	return ok
}

type retry struct{ error }

func (r *retry) Unwrap() error { return r.error }
