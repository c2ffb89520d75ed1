package bench

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"spacecloud/query"
	"spacecloud/schema"
)

// cursorMark is how the cursors of the page query begin: what they are of. The floor takes it
// as given.
var cursorMark = func() string {
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: SDL})
	if err != nil {
		panic(err) // the schema is ours
	}
	post := s.Type("Post")
	newest := query.Complete(post, []query.Order{{Field: post.Field("createdAt"), Desc: true}})
	text := query.NewCursor("", post, newest).Append(nil, func(int) schema.Value { return schema.Null })
	raw, _ := base64.RawURLEncoding.AppendDecode(nil, text)
	return string(raw[:6])
}()

// postCursor is the Cursor of a post among the newest.
func postCursor(i int) string {
	return string(appendCursor(nil, stamp(madeAt(i, posts)), postID(i)))
}

func appendCursor(dst []byte, made, id string) []byte {
	var room [128]byte
	raw := append(room[:0], cursorMark...)
	raw = append(append(raw, 4, byte(len(made))), made...)
	raw = append(append(raw, 4, byte(len(id))), id...)
	raw = binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw))
	return base64.RawURLEncoding.AppendEncode(dst, raw)
}

var errCursor = errors.New("not a cursor")

// readCursor takes a Cursor apart. Both texts are shorter than 128 bytes.
func readCursor(text string) (made, id string, err error) {
	var room [128]byte
	raw, err := base64.RawURLEncoding.AppendDecode(room[:0], []byte(text))
	if err != nil || len(raw) < 14 {
		return "", "", errCursor
	}
	body, sum := raw[:len(raw)-4], raw[len(raw)-4:]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(sum) || string(body[:6]) != cursorMark {
		return "", "", errCursor
	}
	body = body[6:]
	for _, part := range []*string{&made, &id} {
		if len(body) < 2 || body[0] != 4 || len(body) < 2+int(body[1]) {
			return "", "", errCursor
		}
		*part, body = string(body[2:2+body[1]]), body[2+body[1]:]
	}
	return made, id, nil
}

func appendPage(dst []byte, c Cursor, after string) ([]byte, error) {
	made, id, err := readCursor(after)
	if err != nil {
		return dst, err
	}
	if err := c.start(made, id); err != nil {
		return dst, err
	}
	dst = append(dst, `{"data":{"postsConnection":{"edges":[`...)
	more, last, end := false, 0, 0
	for n := 0; c.next(); n++ {
		if more = n == 20; more {
			break
		}
		dst = append(comma(dst, n), `{"cursor":"`...)
		last = len(dst)
		dst = appendCursor(dst, c.text(5), c.text(0))
		end = len(dst)
		dst = append(appendPost(append(dst, `","node":`...), c), '}')
	}
	dst = append(dst, `],"pageInfo":{"hasNextPage":`...)
	switch {
	case more:
		dst = append(dst, `true,"endCursor":`...)
	default:
		dst = append(dst, `false,"endCursor":`...)
	}
	if end == 0 {
		dst = append(dst, `null`...)
	} else {
		dst = append(append(append(dst, '"'), dst[last:end]...), '"')
	}
	return append(dst, `}}}}`...), c.end()
}
