package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// parts is a token taken apart. Nobody has vouched for any of it yet.
type parts struct {
	alg, kid  string
	signed    string // what the signature is of
	payload   string // in base64url
	signature []byte
}

// base64url has one spelling for the same bytes.
var base64url = base64.RawURLEncoding.Strict()

func takeApart(token string) (*parts, error) {
	if strings.ContainsAny(token, "\r\n") { // which package base64 reads over
		return nil, errors.New("the token has line breaks")
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(signature, ".") {
		return nil, errors.New("the token does not have three parts")
	}
	t := &parts{signed: token[:len(header)+1+len(payload)], payload: payload}
	var err error
	if t.signature, err = base64url.DecodeString(signature); err != nil {
		return nil, errors.New("the signature is not base64url")
	}
	return t, t.readHeader(header)
}

// readHeader reads what says how the token is signed. Members that it does not know are only
// looked at where they must be: no key comes from a token (jwk, jku, x5c, x5u).
func (t *parts) readHeader(encoded string) error {
	text, err := base64url.DecodeString(encoded)
	if err != nil {
		return errors.New("the header is not base64url")
	}
	members, err := members(text)
	if err != nil {
		return err
	}
	if _, critical := members["crit"]; critical {
		return errors.New("the header has extensions that must be understood, and we know none")
	}
	var ok bool
	if t.alg, ok = members["alg"].(string); !ok {
		return errors.New("the header names no alg")
	}
	if kid, has := members["kid"]; has {
		if t.kid, ok = kid.(string); !ok {
			return errors.New("the kid is no string")
		}
	}
	return nil
}

// members are those of a JSON object. One that is there twice is refused: who reads the first
// and who reads the last of them would not agree.
func members(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	found := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		key, _ := name.(string) // of an object it is
		if _, twice := found[key]; twice {
			return nil, errors.New("a member is there twice")
		}
		found[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if d.InputOffset() < int64(len(text)) && len(bytes.TrimSpace(text[d.InputOffset():])) > 0 {
		return nil, errors.New("something follows the JSON object")
	}
	return found, nil
}

// claims are those of the token.
func (t *parts) claims() (claims, error) {
	text, err := base64url.DecodeString(t.payload)
	if err != nil {
		return nil, errors.New("the claims are not base64url")
	}
	found, err := members(text)
	return found, err
}
