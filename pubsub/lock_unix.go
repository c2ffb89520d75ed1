//go:build unix

package pubsub

import (
	"errors"
	"os"
	"syscall"

	"spacecloud/fault"
)

// lockFile is the file as long as no other process has it; it is free again when that ends, however it does.
func lockFile(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the folder for streams cannot be written to")
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fault.Wrap(fault.Conflict, err, "another process keeps its streams in the same data folder; "+
			"give this one a folder of its own (--data), or both one NATS server (nats.url)"), file.Close())
	}
	return file, nil
}
