package config

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const mask = "********"

// Secret is a text that prints as stars; string(s) is the text itself.
type Secret string

// String is stars, or nothing for no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// GoString is as String, for %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText is as String, so that a log or JSON does not tell it either.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// PEM is a public key. Should somebody have put something else there, it prints as stars.
type PEM string

// String is the key, or stars for what may not be public.
func (p PEM) String() string {
	for rest := []byte(p); len(bytes.TrimSpace(rest)) > 0; {
		var block *pem.Block
		before := rest
		block, rest = pem.Decode(rest)
		if block == nil || !bytes.HasPrefix(bytes.TrimSpace(before), []byte("-----BEGIN "+block.Type)) ||
			!slices.Contains([]string{"PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"}, block.Type) {
			return mask
		}
	}
	return string(p)
}

// GoString is as String, for %#v.
func (p PEM) GoString() string { return strconv.Quote(p.String()) }

// MarshalText is as String, so that a log or JSON does not tell it either.
func (p PEM) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// URL is an address that prints without its credentials; string(u) is the address itself.
type URL string

// credential is what a query parameter is called whose value nobody should read.
var credential = regexp.MustCompile(`(?i)pass|pwd|secret|token|key|cred|auth`)

// String is the address with stars for its password and for parameters that look like one.
// What cannot be parsed is all stars after the scheme, and what is no address is all stars.
func (u URL) String() string {
	if u == "" {
		return ""
	}
	parsed, err := url.Parse(string(u))
	switch {
	case u.Scheme() == "":
		return mask
	case err != nil, parsed.Scheme == "", parsed.Opaque != "" && strings.Contains(parsed.Opaque, "@"):
		return u.Scheme() + ":" + mask
	}
	if _, has := parsed.User.Password(); has {
		parsed.User = url.UserPassword(parsed.User.Username(), mask)
	}
	parsed.RawQuery = maskQuery(parsed.RawQuery)
	return strings.ReplaceAll(parsed.String(), url.QueryEscape(mask), mask)
}

// GoString is as String, for %#v.
func (u URL) GoString() string { return strconv.Quote(u.String()) }

// MarshalText is as String, so that a log or JSON does not tell the password either.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// Scheme is what stands before the first colon: the kind of database or store.
func (u URL) Scheme() string {
	scheme, _, found := strings.Cut(string(u), ":")
	if !found {
		return ""
	}
	return scheme
}

func maskQuery(raw string) string {
	if raw == "" {
		return ""
	}
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		if name, _, found := strings.Cut(pair, "="); found && credential.MatchString(name) {
			pairs[i] = name + "=" + mask
		}
	}
	return strings.Join(pairs, "&")
}

// Size is a number of bytes.
type Size int64

// units are longest first, so that MiB is not read as B.
var units = []struct {
	name  string
	bytes Size
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"B", 1},
	{"", 1},
}

// String is the size as ParseSize reads it: 1MiB, 5MB, 1500.
func (s Size) String() string {
	best, shortest := "", strconv.FormatInt(int64(s), 10)
	for _, u := range units {
		if u.bytes > 1 && s != 0 && s%u.bytes == 0 {
			if text := strconv.FormatInt(int64(s/u.bytes), 10); len(text) < len(shortest) {
				best, shortest = u.name, text
			}
		}
	}
	return shortest + best
}

// ParseSize reads a number of bytes: 1024, 64KiB, 1MiB, 5MB, 1GiB.
func ParseSize(text string) (Size, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/int64(u.bytes) {
			break
		}
		return Size(n) * u.bytes, nil
	}
	return 0, fmt.Errorf("wants a size such as 1MiB, 5MB or 1024, not %q", text)
}

// ParseNetwork reads an address or a network of them: 10.0.0.1, 10.0.0.0/8, fd00::/8.
func ParseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	if p, err := netip.ParsePrefix(text); err == nil && !p.Addr().Is4In6() {
		return p, nil
	}
	return netip.Prefix{}, fmt.Errorf("wants addresses and networks such as 10.0.0.1 or 10.0.0.0/8, not %q", text)
}

// parse puts texts, which are one but for a list, into the field that dst points to.
func parse(dst any, texts []string) error {
	if list, ok := dst.(*[]string); ok {
		*list = texts
		return nil
	}
	text := texts[0]
	var err error
	switch dst := dst.(type) {
	case *string:
		*dst = text
	case *Secret:
		*dst = Secret(text)
	case *PEM:
		*dst = PEM(text)
	case *URL:
		*dst = URL(text)
	case *Size:
		*dst, err = ParseSize(text)
	case *bool:
		*dst, err = parseBool(text)
	case *int:
		*dst, err = parseInt(text)
	case *time.Duration:
		*dst, err = parseDuration(text)
	default:
		err = fmt.Errorf("has a type, %T, that nothing is read into", dst)
	}
	return err
}

func parseBool(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("wants true or false, not %q", text)
	}
	return text == "true", nil
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("wants a whole number, not %q", text)
	}
	return n, nil
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("wants a duration such as 10s or 1m30s, not %q", text)
	}
	return d, nil
}
