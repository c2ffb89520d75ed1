package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"spacecloud/fault"
	"spacecloud/schema"
)

// Trusted are the only documents that a server runs, by the SHA-256 of their text in lower-case
// hexadecimal. It is an extension of gqlgen's handler, in the place of persisted.
type Trusted struct{ documents map[string]string }

// LoadTrusted reads every *.graphql file below a folder, each a document of its own, and every
// *.json file: a manifest {"hash": "document"}. The hash of a file is that of its text, or of
// its text without the white space around it. The error is schema.Problems: what no document
// of the API could be.
func LoadTrusted(files fs.FS, api *ast.Schema) (*Trusted, error) {
	l := trustedLoader{files: files, api: api, found: &Trusted{map[string]string{}}}
	if err := fs.WalkDir(files, ".", l.file); err != nil {
		return nil, fault.New(fault.Invalid, "trusted documents: %v", err)
	}
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	if len(l.found.documents) == 0 {
		return nil, fault.New(fault.Invalid, "there are no trusted documents: no *.graphql and no *.json file, so nothing could be asked")
	}
	return l.found, nil
}

type trustedLoader struct {
	files    fs.FS
	api      *ast.Schema
	found    *Trusted
	problems schema.Problems
}

// file is an fs.WalkDirFunc.
func (l *trustedLoader) file(name string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
		return fs.SkipDir
	case entry.IsDir():
		return nil
	}
	switch path.Ext(name) {
	case ".graphql":
		text, err := fs.ReadFile(l.files, name)
		if err == nil && l.check(name, "", string(text)) {
			l.add(string(text))
			l.add(strings.TrimSpace(string(text)))
		}
		return err
	case ".json":
		text, err := fs.ReadFile(l.files, name)
		if err == nil {
			l.manifest(name, text)
		}
		return err
	}
	return nil
}

func (l *trustedLoader) manifest(name string, text []byte) {
	var documents map[string]string
	if err := json.Unmarshal(text, &documents); err != nil {
		l.problem(name, 1, 1, `a manifest is one JSON object, {"hash": "document"}: `+err.Error())
		return
	}
	for _, hash := range slices.Sorted(maps.Keys(documents)) {
		document := documents[hash]
		if want := hashText(document); hash != want {
			l.problem(name, 1, 1, "document "+brief(hash)+": its SHA-256 is "+want+"; a document is named by that, in lower-case hexadecimal")
			continue
		}
		if l.check(name, "document "+hash[:8]+": ", document) {
			l.add(document)
		}
	}
}

func (l *trustedLoader) add(text string) { l.found.documents[hashText(text)] = text }

func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// check is whether the API answers a document.
func (l *trustedLoader) check(name, where, text string) bool {
	before := len(l.problems)
	doc, err := parser.ParseQuery(&ast.Source{Name: name, Input: text})
	if err != nil {
		var syntax *gqlerror.Error
		if !errors.As(err, &syntax) {
			syntax = gqlerror.Wrap(err)
		}
		l.wrong(name, where+"syntax: ", syntax)
		return false
	}
	if len(doc.Operations) == 0 {
		l.problem(name, 1, 1, where+"there is no operation in it")
	}
	for _, each := range validator.ValidateWithRules(l.api, doc, rulesOf(true)()) {
		l.wrong(name, where, each)
	}
	return len(l.problems) == before
}

func (l *trustedLoader) wrong(name, what string, e *gqlerror.Error) {
	at := gqlerror.Location{Line: 1, Column: 1}
	if len(e.Locations) > 0 {
		at = e.Locations[0]
	}
	l.problem(name, at.Line, at.Column, what+e.Message)
}

func (l *trustedLoader) problem(name string, line, column int, message string) {
	l.problems = append(l.problems, schema.Problem{Pos: schema.Pos{File: name, Line: line, Column: column}, Message: message})
}

// ExtensionName implements graphql.HandlerExtension.
func (*Trusted) ExtensionName() string { return "TrustedDocuments" }

// Validate implements graphql.HandlerExtension.
func (*Trusted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (t *Trusted) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	if params.Query != "" {
		return gqlerror.Wrap(fault.New(fault.Denied, "only trusted documents are served here: "+
			"send the SHA-256 of one as documentId or in extensions.persistedQuery, and no query"))
	}
	hash, named, err := nameOf(params.Extensions)
	if err != nil {
		return gqlerror.Wrap(err)
	}
	if params.Query = t.documents[hash]; !named || params.Query == "" {
		return gqlerror.Wrap(fault.New(fault.Denied, "no trusted document has the SHA-256 %q", brief(hash)))
	}
	return nil
}

// documentID is the member of a request that names a document, kept among its extensions.
const documentID = "documentId"

// nameOf is the hash by which a request names its document, and whether it does.
func nameOf(extensions map[string]any) (hash string, named bool, err error) {
	if given := extensions["persistedQuery"]; given != nil {
		hash, err = hashOf(given)
		return hash, true, err
	}
	given, ok := extensions[documentID]
	if !ok || given == nil {
		return "", false, nil
	}
	hash, _ = given.(string)
	if hash == "" {
		return "", true, fault.New(fault.Invalid, "documentId has to be a string: the SHA-256 of the document")
	}
	return strings.TrimPrefix(hash, "sha256:"), true, nil
}

// noteDocumentID keeps a request's documentId where nameOf finds it.
func noteDocumentID(p *graphql.RawParams, id string) {
	if id == "" {
		return
	}
	if p.Extensions == nil {
		p.Extensions = map[string]any{}
	}
	p.Extensions[documentID] = id
}
