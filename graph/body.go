package graph

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"spacecloud/fault"
)

// readPOST reads the one operation of a POST request into p. The buffer is only borrowed:
// nothing in p points into it.
func (d *door) readPOST(r *http.Request, b *buffer, p *graphql.RawParams) error {
	if err := checkType(r.Header); err != nil {
		return err
	}
	if err := d.readBody(r, b); err != nil {
		return err
	}
	return decodeParams(b.bytes, p)
}

// checkType admits JSON only. A form is what any page may post without asking (CSRF).
func checkType(h http.Header) error {
	if values := h["Content-Type"]; len(values) != 1 || values[0] != "application/json" {
		kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
		if err != nil || kind != "application/json" {
			return refuse(http.StatusUnsupportedMediaType, fault.Invalid,
				"the Content-Type is %q; send application/json", h.Get("Content-Type"))
		}
		if set := params["charset"]; set != "" && !strings.EqualFold(set, "utf-8") {
			return refuse(http.StatusUnsupportedMediaType, fault.Invalid,
				"the charset is %q; send UTF-8", set)
		}
	}
	if coding := h.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return refuse(http.StatusUnsupportedMediaType, fault.Invalid,
			"the Content-Encoding is %q; send the body as it is", coding)
	}
	return nil
}

// readBody reads the body into b, up to the limit.
func (d *door) readBody(r *http.Request, b *buffer) error {
	limit := d.limits.Body
	if r.ContentLength > int64(limit) {
		return tooLarge(r.ContentLength, limit)
	}
	b.grow(max(int(r.ContentLength)+1, 512))
	for {
		n, err := r.Body.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		if len(b.bytes) > limit {
			return tooLarge(int64(len(b.bytes)), limit)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the body broke off after %d bytes", len(b.bytes))
		}
		b.grow(512)
	}
}

func tooLarge(size int64, limit int) error {
	return &refusal{http.StatusRequestEntityTooLarge, exceeded("body", limit, size,
		"the body is at least %d bytes", size)}
}

// decodeParams reads {"query": …, "operationName": …, "variables": …, "extensions": …}. Other
// members are for others, and ignored.
func decodeParams(in []byte, p *graphql.RawParams) error {
	d := decoder{in: in}
	d.space()
	switch {
	case d.at == len(in):
		return fault.New(fault.Invalid, `the body is empty; send {"query": "…"}`)
	case in[d.at] == '[':
		return fault.New(fault.Invalid, "the body is a list; batches are not served: send one operation per request")
	case in[d.at] != '{':
		return fault.New(fault.Invalid, `the body is not a JSON object; send {"query": "…"}`)
	}
	var seen params
	if err := d.members(func(name string) error { return d.param(name, p, &seen) }); err != nil {
		return err
	}
	noteDocumentID(p, seen.document)
	return d.end()
}

// params are the members seen so far.
type params struct {
	query, operationName, variables, extensions, documentID bool
	document                                                string
}

// param reads the member name.
func (d *decoder) param(name string, p *graphql.RawParams, seen *params) (err error) {
	twice := false
	switch name {
	case "query":
		twice, seen.query = seen.query, true
		p.Query, err = d.textOrNull(name)
	case "operationName":
		twice, seen.operationName = seen.operationName, true
		p.OperationName, err = d.textOrNull(name)
	case "variables":
		twice, seen.variables = seen.variables, true
		p.Variables, err = d.objectOrNull(name)
	case "extensions":
		twice, seen.extensions = seen.extensions, true
		p.Extensions, err = d.objectOrNull(name)
	case documentID:
		twice, seen.documentID = seen.documentID, true
		seen.document, err = d.textOrNull(name)
	default:
		_, err = d.value()
	}
	if err == nil && twice {
		return d.failf("the member %q is given twice", name)
	}
	return err
}

func (d *decoder) textOrNull(name string) (string, error) {
	v, err := d.value()
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", fault.New(fault.Invalid, "%s is %s; it has to be a string", name, kindOf(v))
}

func (d *decoder) objectOrNull(name string) (map[string]any, error) {
	v, err := d.value()
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	}
	return nil, fault.New(fault.Invalid, "%s is %s; it has to be an object", name, kindOf(v))
}

// kindOf names the kind of a decoded value.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a number"
}

// readGET reads the one operation of a GET request's URL into p.
func (d *door) readGET(r *http.Request, _ *buffer, p *graphql.RawParams) error {
	if size := len(r.URL.RawQuery); size > d.limits.Body {
		return &refusal{http.StatusRequestURITooLong, exceeded("body", d.limits.Body, int64(size),
			"the query of the URL is %d bytes", size)}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.Invalid, "the query of the URL is malformed: %v", err)
	}
	if p.Query, err = parameter(values, "query"); err != nil {
		return err
	}
	if p.OperationName, err = parameter(values, "operationName"); err != nil {
		return err
	}
	if p.Variables, err = objectParameter(values, "variables"); err != nil {
		return err
	}
	if p.Extensions, err = objectParameter(values, "extensions"); err != nil {
		return err
	}
	id, err := parameter(values, documentID)
	noteDocumentID(p, id)
	return err
}

func parameter(values url.Values, name string) (string, error) {
	if len(values[name]) > 1 {
		return "", fault.New(fault.Invalid, "the URL has %s more than once", name)
	}
	text := values.Get(name)
	if strings.ToValidUTF8(text, "") != text {
		return "", fault.New(fault.Invalid, "%s in the URL is not UTF-8", name)
	}
	return text, nil
}

func objectParameter(values url.Values, name string) (map[string]any, error) {
	text, err := parameter(values, name)
	if err != nil || text == "" {
		return nil, err
	}
	d := decoder{in: []byte(text)}
	object, err := d.objectOrNull(name)
	if err == nil {
		err = d.end()
	}
	return object, inParameter(err, name)
}

// inParameter says which parameter an error is about.
func inParameter(err error, name string) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.Invalid, "%s in the URL: %s", name, err.Error())
}
