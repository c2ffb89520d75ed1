package project

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"

	"spacecloud/config"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/graph"
)

// CheckTrusted is what the API of the schema folder could not answer of the trusted documents.
func CheckTrusted(c config.Config) error {
	_, _, api, err := read(c.Schema, named(c))
	if err == nil {
		_, err = trustedDocuments(c, api)
	}
	return err
}

// trustedDocuments are those of the settings, checked against the API; nil where any are served.
func trustedDocuments(c config.Config, api *generator.API) (*graph.Trusted, error) {
	folder := c.Trusted.Documents
	if folder == "" {
		return nil, nil
	}
	switch info, err := os.Stat(folder); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.Invalid, "there is no folder %s of trusted documents; make it, or name another with --trusted-documents", folder)
	case err != nil:
		return nil, fault.New(fault.Invalid, "the trusted documents %s cannot be read: %v", folder, cause(err))
	case !info.IsDir():
		return nil, fault.New(fault.Invalid, "the trusted documents %s are a file; name the folder that it lies in with --trusted-documents", filepath.Clean(folder))
	}
	trusted, err := graph.LoadTrusted(os.DirFS(folder), api.Schema)
	return trusted, located(folder, err)
}

// snapshot is a hash of the schema folder and of the trusted documents.
func (p *Project) snapshot() string {
	seen := snapshot(p.Settings.Schema)
	folder := p.Settings.Trusted.Documents
	if folder == "" {
		return seen
	}
	sum := sha256.New()
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(name) //nolint:gosec // the operator's own folder
		fmt.Fprintf(sum, "%q %d %s", name, len(text), text)
		return err
	})
	return fmt.Sprintf("%s %x %v", seen, sum.Sum(nil), err)
}

// watchTrusted adds the folders of the trusted documents.
func (p *Project) watchTrusted(w *fsnotify.Watcher) error {
	if p.Settings.Trusted.Documents == "" {
		return nil
	}
	return filepath.WalkDir(p.Settings.Trusted.Documents, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || !entry.IsDir():
			return err
		}
		return w.Add(name)
	})
}
