package event

import (
	"strconv"
	"time"
	"unicode/utf8"

	"muster/evaluator"
)

// AppendJSON appends the published form of e to dst: one JSON object without blanks, its keys always in the same order.
// Equal events give equal bytes. CommittedAt is not published. Properties is copied as it is and must be a JSON object.
func (e *Event) AppendJSON(dst []byte) []byte { return e.AppendJSONAs(dst, e.ID()) }

// AppendJSONAs is AppendJSON for a caller that has the event's ID already, which costs a hash to make.
func (e *Event) AppendJSONAs(dst []byte, id string) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","sequence":`...)
	dst = strconv.AppendUint(dst, e.Sequence, 10)
	dst = append(dst, `,"type":"`...)
	dst = append(dst, e.Type.String()...)
	dst = append(dst, `","environment":`...)
	dst = appendString(dst, e.Environment)
	dst = append(dst, `,"audience":`...)
	dst = appendString(dst, e.Audience)
	dst = append(dst, `,"audience_version":`...)
	dst = strconv.AppendUint(dst, uint64(e.Version), 10)
	dst = append(dst, `,"user_id":`...)
	dst = appendString(dst, e.User)
	dst = append(dst, `,"tenant":`...)
	if e.Tenant == "" {
		dst = append(dst, "null"...)
	} else {
		dst = appendString(dst, e.Tenant)
	}
	dst = append(dst, `,"occurred_at":"`...)
	dst = AppendInstant(dst, e.OccurredAt)
	dst = append(dst, `","cause":"`...)
	dst = append(dst, e.Cause.String()...)
	dst = append(dst, `","trigger":`...)
	dst = strconv.AppendBool(dst, e.Trigger)
	dst = append(dst, `,"entry_count":`...)
	dst = strconv.AppendUint(dst, e.EntryCount, 10)
	dst = append(dst, `,"entered_at":"`...)
	dst = AppendInstant(dst, e.EnteredAt)
	dst = append(dst, `","position":{"lsn":"`...)
	dst = appendLSN(dst, e.Position.LSN)
	dst = append(dst, `","index":`...)
	dst = strconv.AppendUint(dst, uint64(e.Position.Index), 10)
	dst = append(dst, '}')
	if e.Properties != nil {
		dst = append(dst, `,"user":`...)
		dst = append(dst, e.Properties...)
	}
	return append(dst, '}')
}

const instantLayout = "2006-01-02T15:04:05.000000Z"

// AppendInstant appends i as it is published: RFC 3339, UTC, six digits of fraction. It writes what
// evaluator.Instant.String writes, without the garbage.
func AppendInstant(dst []byte, i evaluator.Instant) []byte {
	if !i.Finite() {
		return append(dst, i.String()...)
	}
	t := i.Time()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, instantLayout)
	}
	hour, minute, second := t.Clock()
	dst = appendDigits(dst, year, 4)
	dst = appendDigits(append(dst, '-'), int(month), 2)
	dst = appendDigits(append(dst, '-'), day, 2)
	dst = appendDigits(append(dst, 'T'), hour, 2)
	dst = appendDigits(append(dst, ':'), minute, 2)
	dst = appendDigits(append(dst, ':'), second, 2)
	dst = appendDigits(append(dst, '.'), t.Nanosecond()/int(time.Microsecond), 6)
	return append(dst, 'Z')
}

// appendDigits appends n >= 0 with leading zeros to exactly width digits; n must fit.
func appendDigits(dst []byte, n, width int) []byte {
	var digits [8]byte
	for i := width - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, digits[:width]...)
}

func appendLSN(dst []byte, l LSN) []byte {
	dst = appendHex(dst, uint32(l>>32))
	return appendHex(append(dst, '/'), uint32(l))
}

func appendHex(dst []byte, n uint32) []byte {
	start := len(dst)
	dst = strconv.AppendUint(dst, uint64(n), 16)
	for i := start; i < len(dst); i++ {
		if dst[i] >= 'a' {
			dst[i] -= 'a' - 'A'
		}
	}
	return dst
}

// appendString appends s as a JSON string. Only what RFC 8259 demands is escaped; bytes that are no UTF-8 become U+FFFD,
// so that the document is valid whatever the source's encoding lets through.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if c >= utf8.RuneSelf {
		return append(dst, "\ufffd"...)
	}
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
}
