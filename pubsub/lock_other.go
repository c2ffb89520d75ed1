//go:build !unix

package pubsub

import "os"

// lockFile is the file. That only one process uses a folder is not checked here.
func lockFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
}
