package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// What others made is in assets, as it was compressed once; LICENSES.txt there says whose it is,
// and is served as well.
//
//go:embed assets page
var embedded embed.FS

// types are the content types by extension. The system's own table may say anything.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// file is something to serve.
type file struct {
	name    string
	tag     string // changes when the content does
	content []byte
	zipped  bool // content is compressed with gzip
}

// load is the files of the page by name: ours, and those that others made.
func load() map[string]*file {
	files := map[string]*file{}
	for _, folder := range []string{"assets", "page"} {
		entries, err := embedded.ReadDir(folder)
		if err != nil {
			panic(err) // unreachable: the folders are embedded
		}
		for _, entry := range entries {
			content, err := embedded.ReadFile(path.Join(folder, entry.Name()))
			if err != nil {
				panic(err) // unreachable, likewise
			}
			f := newFile(entry.Name(), content)
			files[f.name] = f
		}
	}
	delete(files, "explorer.html") // the template, which render makes the page of
	return files
}

func newFile(name string, content []byte) *file {
	plain, zipped := strings.CutSuffix(name, ".gz")
	sum := sha256.Sum256(content)
	return &file{name: plain, tag: hex.EncodeToString(sum[:8]), content: content, zipped: zipped}
}

// ServeHTTP answers with the file, compressed where that is how it is kept and the client can
// read it. An address with the file's tag may be kept for ever; any other is asked for again.
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", types[path.Ext(f.name)])
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == f.tag {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content, tag := f.content, f.tag
	if f.zipped {
		header.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			header.Set("Content-Encoding", "gzip")
			header.Set("Content-Length", strconv.Itoa(len(content)))
			tag += "-gzip"
		} else {
			content = unzip(content)
		}
	}
	header.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(content))
}

// acceptsGzip is whether an Accept-Encoding names gzip and does not refuse it.
func acceptsGzip(accept string) bool {
	for each := range strings.SplitSeq(accept, ",") {
		coding, weight, _ := strings.Cut(strings.ReplaceAll(each, " ", ""), ";")
		if strings.EqualFold(coding, "gzip") || coding == "*" {
			q, err := strconv.ParseFloat(strings.TrimPrefix(weight, "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}

// unzip is for the few clients that cannot: it is not kept.
func unzip(content []byte) []byte {
	zipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		panic(err) // a test reads every file this way
	}
	text, err := io.ReadAll(zipped)
	if err != nil {
		panic(err)
	}
	return text
}
