package project

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"spacecloud/fault"
)

//go:embed starter
var starter embed.FS

// Initialise writes a folder that serves at once: a schema, its first rows, and settings with
// comments. It overwrites nothing.
func Initialise(folder string) (files []string, err error) {
	from, err := fs.Sub(starter, "starter")
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, filepath.FromSlash(name))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if _, err := os.Stat(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.Conflict, "%s is there already; name another folder", filepath.Join(folder, name))
		}
	}
	if err := os.CopyFS(folder, from); err != nil {
		return nil, fault.New(fault.Invalid, "the folder %s cannot be written: %v", folder, err)
	}
	return files, nil
}
