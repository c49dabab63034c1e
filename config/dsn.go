package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
)

// DSN is a Postgres connection string. Like a Secret it does not show its password, but it shows the rest.
type DSN struct{ secret Secret }

// NewDSN returns text as a DSN.
func NewDSN(text string) DSN { return DSN{NewSecret(text)} }

// Reveal returns the connection string with its password.
func (d DSN) Reveal() string { return d.secret.Reveal() }

// Empty reports whether none was given.
func (d DSN) Empty() bool { return d.secret.Empty() }

// secretParameters are the connection parameters whose values are secret.
var secretParameters = map[string]bool{"password": true, "sslpassword": true}

// String returns the connection string with its passwords redacted; one that cannot be read is redacted as a whole.
func (d DSN) String() string {
	text := d.Reveal()
	switch {
	case text == "":
		return ""
	case isURL(text):
		return redactURL(text)
	}
	pairs, err := keywords(text)
	if err != nil {
		return Redacted
	}
	for i, p := range pairs {
		if secretParameters[p.key] {
			pairs[i].raw = p.key + "=" + Redacted
		}
	}
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p.raw)
	}
	return b.String()
}

// Format prints the redacted form for every verb.
func (d DSN) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue is what slog prints.
func (d DSN) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText is what JSON and YAML print.
func (d DSN) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText takes a URL or a list of keywords. Its errors never quote the text: the reasons that net/url gives can
// hold a piece of the password.
func (d *DSN) UnmarshalText(text []byte) error {
	s := string(text)
	if isURL(s) {
		if u, err := url.Parse(s); err != nil || u.Opaque != "" {
			return errors.New("is not a valid URL; in a user name or password write : / ? # [ ] @ % and blanks " +
				"percent-encoded, as in %2F for /")
		}
	} else if _, err := keywords(s); err != nil {
		return err
	}
	*d = NewDSN(s)
	return nil
}

func isURL(text string) bool {
	return strings.HasPrefix(text, "postgres:") || strings.HasPrefix(text, "postgresql:")
}

func redactURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return Redacted
	}
	parameters := strings.Split(u.RawQuery, "&")
	for i, p := range parameters {
		key, _, _ := strings.Cut(p, "=")
		if name, err := url.QueryUnescape(key); err != nil || secretParameters[name] {
			parameters[i] = key + "=" + Redacted
		}
	}
	u.RawQuery = strings.Join(parameters, "&")
	if _, has := u.User.Password(); has {
		// Written by hand: url.UserPassword would percent-encode the brackets.
		user := u.User.Username()
		u.User = nil
		return strings.Replace(u.String(), "://", "://"+url.User(user).String()+":"+Redacted+"@", 1)
	}
	return u.String()
}

type keyword struct{ key, raw string }

// keywordForm is one key = value of libpq's keyword form: a bare value, or a quoted one with backslashes.
var keywordForm = regexp.MustCompile(`^\s*([A-Za-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^'\\\s]|\\.)*)(?:\s+|$)`)

// keywords reads libpq's form "host=localhost dbname=app password='it”s'".
func keywords(text string) ([]keyword, error) {
	var pairs []keyword
	for rest := strings.TrimSpace(text); rest != ""; {
		m := keywordForm.FindStringSubmatch(rest)
		if m == nil {
			return nil, errors.New("is no connection string; write postgres://user:password@host:5432/database " +
				"or host=localhost dbname=database")
		}
		pairs = append(pairs, keyword{key: m[1], raw: m[1] + "=" + m[2]})
		rest = rest[len(m[0]):]
	}
	return pairs, nil
}
