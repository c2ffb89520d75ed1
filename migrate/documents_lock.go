package migrate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"spacecloud/fault"
)

const (
	locks = "_spacecloud_locks"
	// lease is how long a lock outlives a holder that died. One that lives prolongs it.
	lease = 30 * time.Second
	// lockPause is between two attempts to get it.
	lockPause = 50 * time.Millisecond
)

// errLost is that another took the lock, as after a long standstill of this program.
var errLost = errors.New("the lock was lost to another migration")

// locked runs do while no other migration of the database runs. The database's clock says how
// long a lease lasts, so that those of the servers need not agree. The context of do ends with the lease.
func (m documents) locked(ctx context.Context, do func(context.Context) error) (err error) {
	holder := rand.Text()
	if err := m.acquire(ctx, holder); err != nil {
		return err
	}
	held, lose := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lose(m.prolong(held, holder))
	}()
	defer func() {
		cause := context.Cause(held)
		lose(nil)
		<-ended
		if errors.Is(cause, errLost) {
			err = fault.Wrap(fault.Unavailable, cause, "database %s: the migration was interrupted; run it again", m.Name)
		}
		if failed := m.release(context.WithoutCancel(ctx), holder); err == nil {
			err = failed
		}
	}()
	return do(held)
}

// acquire waits for the lock.
func (m documents) acquire(ctx context.Context, holder string) error {
	unavailable := func(err error) error {
		return fault.Wrap(fault.Unavailable, err, "database %s cannot be reached for a migration, or is being migrated by another server", m.Name)
	}
	_, err := m.Mongo.Collection(locks).InsertOne(ctx, bson.D{{Key: "_id", Value: "migrate"}, {Key: "until", Value: bson.DateTime(0)}})
	if err != nil && !mongo.IsDuplicateKeyError(err) {
		return unavailable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*lease)
	defer cancel()
	free := bson.D{{Key: "$expr", Value: bson.D{{Key: "$lt", Value: bson.A{"$until", "$$NOW"}}}}}
	for {
		got, err := m.take(ctx, holder, free)
		if err != nil {
			return unavailable(err)
		}
		if got {
			return nil
		}
		select {
		case <-ctx.Done():
			return unavailable(ctx.Err())
		case <-time.After(lockPause):
		}
	}
}

// take takes or prolongs the lock if it is as the condition says.
func (m documents) take(ctx context.Context, holder string, condition bson.D) (bool, error) {
	until := bson.D{{Key: "$add", Value: bson.A{"$$NOW", lease.Milliseconds()}}}
	done, err := m.Mongo.Collection(locks).UpdateOne(ctx, append(bson.D{{Key: "_id", Value: "migrate"}}, condition...),
		mongo.Pipeline{{{Key: "$set", Value: bson.D{{Key: "holder", Value: holder}, {Key: "until", Value: until}}}}})
	if err != nil {
		return false, fmt.Errorf("lock the migrations: %w", err)
	}
	return done.MatchedCount == 1, nil
}

// prolong keeps the lock until ctx ends. Its error is why it could not.
func (m documents) prolong(ctx context.Context, holder string) error {
	tick := time.NewTicker(lease / 6)
	defer tick.Stop()
	for at := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		kept, err := m.take(ctx, holder, bson.D{{Key: "holder", Value: holder}})
		switch {
		case err == nil && kept:
			at = time.Now()
		case err == nil || time.Since(at) > lease/2:
			return errLost
		}
	}
}

func (m documents) release(ctx context.Context, holder string) error {
	_, err := m.Mongo.Collection(locks).UpdateOne(ctx, bson.D{{Key: "_id", Value: "migrate"}, {Key: "holder", Value: holder}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "until", Value: bson.DateTime(0)}}}})
	if err != nil {
		return fmt.Errorf("unlock the migrations of %s: %w", m.Name, err)
	}
	return nil
}
