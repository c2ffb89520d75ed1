package project

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"spacecloud/fault"
)

const (
	// quiet is how long nothing must happen before an edit is taken for complete: an editor
	// that writes beside the file and renames makes several events within a millisecond.
	quiet = 5 * time.Millisecond
	// patience is the same while a file is empty: an editor that writes in place has cut it,
	// and is about to write.
	patience = 100 * time.Millisecond
)

// Watch serves each edit of the folder, until ctx ends. A bad one leaves the last good one
// serving, and Config.Out is told why.
func (p *Project) Watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the schema folder cannot be watched")
	}
	defer w.Close()
	if err := p.watch(w); err != nil {
		return fault.Wrap(fault.Internal, err, "the schema folder %s cannot be watched", p.Settings.Schema)
	}
	// It fires once by itself, for what was edited between the first Load and now.
	wait := time.NewTimer(quiet)
	patient := false // whether patience was had with an empty file already
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-w.Events:
			if p.concerns(event.Name) {
				patient = false
				wait.Reset(quiet)
			}
		case err := <-w.Errors:
			p.Log.WarnContext(ctx, "watching the schema folder", "error", err)
			wait.Reset(quiet) // events were lost: look
		case <-wait.C:
			if !patient && p.unseen() && anyEmpty(p.Settings.Schema) {
				patient = true
				wait.Reset(patience)
				continue
			}
			if err := p.watch(w); err != nil {
				p.Log.WarnContext(ctx, "watching the schema folder", "error", err)
			}
			if p.reload(ctx) {
				wait.Reset(again)
			}
		}
	}
}

// watch adds the folder and those in it: again after each edit, for there may be new ones, and
// a folder that was replaced is another one. The one above tells of that.
func (p *Project) watch(w *fsnotify.Watcher) error {
	if err := w.Add(filepath.Dir(filepath.Clean(p.Settings.Schema))); err != nil {
		return err
	}
	if err := p.watchTrusted(w); err != nil {
		return err
	}
	return filepath.WalkDir(p.Settings.Schema, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone meanwhile; when it comes back, that is an event
			return nil
		case err != nil || !entry.IsDir():
			return err
		case strings.HasPrefix(entry.Name(), ".") && name != p.Settings.Schema:
			return fs.SkipDir
		}
		return w.Add(name)
	})
}

// concerns is whether a name is the folder or something in it, or the trusted documents.
func (p *Project) concerns(name string) bool {
	return within(p.Settings.Schema, name) || p.Settings.Trusted.Documents != "" && within(p.Settings.Trusted.Documents, name)
}

func within(folder, name string) bool {
	inside, err := filepath.Rel(folder, name)
	return err == nil && inside != ".." && !strings.HasPrefix(inside, ".."+string(filepath.Separator))
}

// again is how long after a failure that is not the folder's a folder is looked at again.
const again = time.Second

// reload serves the folder if it is not what was last looked at. It says whether to look again:
// a database that was locked or away fails a good edit as well.
func (p *Project) reload(ctx context.Context) (retry bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil || p.snapshot() == p.seen {
		return false
	}
	done, err := p.load(ctx)
	if err != nil {
		p.refused(err)
		return p.seen == ""
	}
	p.served(done)
	return false
}

func (p *Project) unseen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.snapshot() != p.seen
}

// snapshot is a hash of all that schema.Load would read, or of why it cannot be read.
func snapshot(folder string) string {
	sum := sha256.New()
	err := eachSource(folder, func(name string, text []byte) {
		fmt.Fprintf(sum, "%q %d\n", name, len(text))
		sum.Write(text)
	})
	if err != nil {
		_, _ = io.WriteString(sum, err.Error())
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func anyEmpty(folder string) (empty bool) {
	err := eachSource(folder, func(_ string, text []byte) { empty = empty || len(text) == 0 })
	return empty || err != nil
}

func eachSource(folder string, do func(name string, text []byte)) error {
	files := os.DirFS(folder)
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".graphql" || entry.Name() == seedFile:
			return nil
		}
		text, err := fs.ReadFile(files, name)
		if err == nil {
			do(name, text)
		}
		return err
	})
}
