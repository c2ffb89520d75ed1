package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// The inflection below is frozen: a word that changed its plural would rename tables.

var irregular = map[string]string{
	"ox": "oxen", "foot": "feet", "tooth": "teeth", "goose": "geese", "mouse": "mice",
	"datum": "data", "medium": "media", "criterion": "criteria", "phenomenon": "phenomena",
	"curriculum": "curricula", "bacterium": "bacteria",
	"matrix": "matrices", "vertex": "vertices", "alumnus": "alumni", "radius": "radii",
	"stimulus": "stimuli", "nucleus": "nuclei",
	"quiz": "quizzes", "epoch": "epochs", "stomach": "stomachs", "monarch": "monarchs",
	"knife": "knives", "life": "lives", "wife": "wives", "leaf": "leaves", "half": "halves",
	"shelf": "shelves", "self": "selves", "thief": "thieves", "wolf": "wolves", "calf": "calves",
	"loaf": "loaves", "elf": "elves", "scarf": "scarves",
	"hero": "heroes", "potato": "potatoes", "tomato": "tomatoes", "echo": "echoes", "veto": "vetoes", "torpedo": "torpedoes",
	"human": "humans", "german": "germans", "roman": "romans", "shaman": "shamans", "talisman": "talismans", "ottoman": "ottomans",
	"lens": "lenses", "iris": "irises", "gas": "gases", "bus": "buses", "yes": "yeses",
}

// suffixes are irregular also at the end of a longer word: Salesperson, Grandchild, Foreman.
var suffixes = [...][2]string{{"person", "people"}, {"child", "children"}, {"man", "men"}}

var uncountable = map[string]bool{
	"news": true, "series": true, "species": true, "sheep": true, "fish": true, "deer": true,
	"moose": true, "aircraft": true, "equipment": true, "information": true, "rice": true, "money": true,
	"feedback": true, "software": true, "hardware": true, "furniture": true, "luggage": true,
	"advice": true, "metadata": true, "data": true, "media": true, "staff": true, "people": true,
	"children": true, "men": true, "women": true, "criteria": true, "weather": true, "music": true,
	"traffic": true, "evidence": true, "homework": true, "knowledge": true, "research": true, "inventory": false,
}

// plural is the plural of a lower-case word; ok is false for a word that has none, or that
// looks like a plural already.
func plural(word string) (_ string, ok bool) {
	if p, found := irregular[word]; found {
		return p, true
	}
	if uncountable[word] {
		return "", false
	}
	for _, s := range suffixes {
		if stem, found := strings.CutSuffix(word, s[0]); found {
			return stem + s[1], true
		}
	}
	n := len(word)
	last, before := word[n-1], byte(0)
	if n > 1 {
		before = word[n-2]
	}
	switch {
	case strings.HasSuffix(word, "sis") || strings.HasSuffix(word, "xis"):
		return word[:n-2] + "es", true
	case last == 's' && n > 1 && !strings.ContainsRune("suiao", rune(before)):
		return "", false
	case last == 's', last == 'x', last == 'z', last == 'h' && (before == 'c' || before == 's'):
		return word + "es", true
	case last == 'y' && n > 1 && !strings.ContainsRune("aeiou", rune(before)):
		return word[:n-1] + "ies", true
	}
	return word + "s", true
}

// words splits a name: BlogPost is Blog Post, URLMapping is URL Mapping, blog_post is blog post.
func words(name string) []string {
	var out []string
	start := 0
	cut := func(end int) {
		if end > start {
			out = append(out, name[start:end])
		}
		start = end
	}
	for i := range len(name) {
		switch {
		case name[i] == '_':
			cut(i)
			start = i + 1
		case i > start && isUpper(name[i]) && (!isUpper(name[i-1]) || i+1 < len(name) && isLower(name[i+1])):
			cut(i)
		}
	}
	cut(len(name))
	return out
}

func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }
func isLower(b byte) bool { return 'a' <= b && b <= 'z' }

// pluralWords are the words of a name, the last of them in the plural and in its own case.
func pluralWords(name string) (_ []string, ok bool) {
	ws := words(name)
	if len(ws) == 0 {
		return nil, false
	}
	last := ws[len(ws)-1]
	p, ok := plural(strings.ToLower(last))
	if !ok {
		return nil, false
	}
	k := 0
	for k < len(last) && k < len(p) && strings.ToLower(last[k:k+1]) == p[k:k+1] {
		k++
	}
	ws[len(ws)-1] = last[:k] + p[k:]
	return ws, true
}

// snake is a name as the database has it: authorId is author_id.
func snake(name string) string { return joinSnake(words(name)) }

func joinSnake(words []string) string { return strings.ToLower(strings.Join(words, "_")) }

// camel is a type's name as a field of the API: BlogPost is blogPost, APIKey is apiKey.
func camel(name string) string { return joinCamel(words(name)) }

func joinCamel(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i == 0 {
			b.WriteString(strings.ToLower(w))
		} else {
			b.WriteString(upperFirst(w))
		}
	}
	return b.String()
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// maxName is how long a physical name may be; PostgreSQL cuts longer ones silently.
const maxName = 63

// indexName is the physical name of an index or constraint on columns, bounded.
func indexName(table string, fields []IndexField, suffix string) string {
	name := table
	var nameSb149 strings.Builder
	for _, f := range fields {
		nameSb149.WriteString("_" + f.Field.Column)
	}
	name += nameSb149.String()
	return boundedName(name + "_" + suffix)
}

// boundedName is the name, or its beginning and a hash of all of it.
func boundedName(name string) string {
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	end := maxName - 9
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + "_" + hex.EncodeToString(sum[:4])
}

// KeyName is the root field that finds a row by a unique constraint: postBySlug.
func (t *Type) KeyName(unique Index) string {
	name := t.Single + "By"
	var nameSb171 strings.Builder
	for i, f := range unique.Fields {
		if i > 0 {
			nameSb171.WriteString("And")
		}
		nameSb171.WriteString(upperFirst(f.Field.Name))
	}
	name += nameSb171.String()
	return name
}
