package postgres

import (
	"encoding/binary"
	"math"
	"time"
)

const (
	microsecondsOfDay = 24 * 60 * 60 * 1_000_000
	// The days from 0000-03-01 to 2000-01-01, from which PostgreSQL counts.
	daysBefore = 730_425
	daysOfEra  = 146_097 // 400 years
)

// appendTimestamp appends microseconds since 2000 in the canonical form of a DateTime.
func appendTimestamp(dst, raw []byte) []byte {
	at := int64(binary.BigEndian.Uint64(raw))
	switch at {
	case math.MaxInt64:
		return append(dst, "infinity"...)
	case math.MinInt64:
		return append(dst, "-infinity"...)
	}
	day, clock := at/microsecondsOfDay, at%microsecondsOfDay
	if clock < 0 {
		day, clock = day-1, clock+microsecondsOfDay
	}
	dst = append(appendDay(dst, day), 'T')
	return append(appendClock(dst, clock), 'Z')
}

// epoch is 2000 in microseconds since 1970.
const epoch = 946_684_800_000_000

// appendMoment appends the microseconds since 2000 of the canonical form of a DateTime; false of any
// other text.
func appendMoment(dst []byte, text string) ([]byte, bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || len(text) != len("2006-01-02T15:04:05.000000Z") || at.Year() < 1 {
		return dst, false
	}
	return binary.BigEndian.AppendUint64(dst, uint64(at.UnixMicro()-epoch)), true
}

// appendDay appends days since 2000, by the proleptic Gregorian calendar.
func appendDay(dst []byte, day int64) []byte {
	day += daysBefore
	era := day / daysOfEra
	if day < 0 {
		era = (day - daysOfEra + 1) / daysOfEra
	}
	day -= era * daysOfEra
	year := (day - day/1460 + day/36_524 - day/146_096) / 365
	day -= 365*year + year/4 - year/100 // since the first of March
	month := (5*day + 2) / 153
	day -= (153*month + 2) / 5
	year += 400 * era
	if month += 3; month > 12 {
		month, year = month-12, year+1
	}
	dst = append(appendTwo(appendTwo(dst, year/100), year%100), '-')
	return appendTwo(append(appendTwo(dst, month), '-'), day+1)
}

// appendClock appends microseconds of a day.
func appendClock(dst []byte, at int64) []byte {
	seconds, micros := at/1_000_000, at%1_000_000
	dst = append(appendTwo(dst, seconds/3600), ':')
	dst = append(appendTwo(dst, seconds/60%60), ':')
	dst = append(appendTwo(dst, seconds%60), '.')
	return appendTwo(appendTwo(appendTwo(dst, micros/10_000), micros/100%100), micros%100)
}

func appendTwo(dst []byte, n int64) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }
