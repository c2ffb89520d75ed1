package schema

// Takes is whether a text that is stored in a column, or in an element of its list, is one of its scalar.
func (f *Field) Takes(text string) bool {
	switch f.Scalar {
	case DateTime:
		if len(text) == len(dateTimeForm) && text[10] == 'T' && text[26] == 'Z' && isDay(text[:10]) && isClock(text[11:26]) {
			return true
		}
	case Date:
		if isDay(text) {
			return true
		}
	case Time:
		if isClock(text) {
			return true
		}
	case UUID, EnumValue:
	default:
		return true
	}
	_, err := coerceText(f.Scalar, f.Enum, text)
	return err == nil
}

// isDay is whether a text is a date that is in every month, in its canonical form: of most there is no more to ask.
func isDay(s string) bool {
	return len(s) == len(dateForm) && s[4] == '-' && s[7] == '-' && isNumber(s[:4], 1, 9999) && isNumber(s[5:7], 1, 12) && isNumber(s[8:], 1, 28)
}

// isClock is whether a text is a time of day in its canonical form.
func isClock(s string) bool {
	return len(s) == len(timeForm) && s[2] == ':' && s[5] == ':' && s[8] == '.' &&
		isNumber(s[:2], 0, 23) && isNumber(s[3:5], 0, 59) && isNumber(s[6:8], 0, 59) && isNumber(s[9:], 0, 999_999)
}

func isNumber(s string, least, most int) bool {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		n = 10*n + int(s[i]-'0')
	}
	return least <= n && n <= most
}
