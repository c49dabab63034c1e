package native

import (
	"fmt"
	"strings"

	"muster/deploy/local/engine/chdb"
	"muster/deploy/local/engine/session"
)

// query is a client's request to run a statement.
type query struct {
	text       string
	settings   []session.Setting
	params     []chdb.Param
	compressed bool // blocks are, in both directions
}

// readQuery reads the packet after its code.
func readQuery(in *input, revision int) (q query, err error) {
	if _, err = in.string(maxName); err != nil { // id: the engine gives its own
		return q, err
	}
	if err = skipClientInfo(in); err != nil {
		return q, fmt.Errorf("client info: %w", err)
	}
	if q.settings, err = readSettings(in); err != nil {
		return q, fmt.Errorf("settings: %w", err)
	}
	if err = in.skipStrings(1); err != nil { // hash of a secret between servers
		return q, err
	}
	if err = in.skipNumbers(1); err != nil { // stage: always to the end
		return q, err
	}
	compressed, err := in.uvarint()
	if err != nil {
		return q, err
	}
	q.compressed = compressed != 0
	if q.text, err = in.string(maxQuery); err != nil {
		return q, err
	}
	if revision >= revisionParameters {
		if q.params, err = readParams(in); err != nil {
			return q, fmt.Errorf("parameters: %w", err)
		}
	}
	return q, nil
}

// skipClientInfo reads over who asks, from where, and in which trace.
func skipClientInfo(in *input) error {
	kind, err := in.ReadByte()
	if err != nil || kind == 0 {
		return err
	}
	const startTime, overTCP = 8, 1
	if err := in.skipStrings(3); err != nil { // initial user, query id, address
		return err
	}
	if err := in.skip(startTime); err != nil {
		return err
	}
	by, err := in.ReadByte()
	if err != nil {
		return err
	}
	if err := skipInterface(in, by); err != nil {
		return err
	}
	if err := in.skipStrings(1); err != nil { // quota key
		return err
	}
	numbers := 1 // distributed depth
	if by == overTCP {
		numbers = 2 // patch version
	}
	if err := in.skipNumbers(numbers); err != nil {
		return err
	}
	if err := skipTrace(in); err != nil {
		return err
	}
	return in.skipNumbers(3) // parallel replicas
}

// skipInterface reads over what the client says of itself, which depends on how it has got the query: a server passes
// on those of others.
func skipInterface(in *input, by byte) error {
	switch by {
	case 1: // TCP: user, host and name of the client; its version
		if err := in.skipStrings(3); err != nil {
			return err
		}
		return in.skipNumbers(3)
	case 2: // HTTP: method; agent, forwarded for, referer
		if err := in.skip(1); err != nil {
			return err
		}
		return in.skipStrings(3)
	}
	return nil
}

func skipTrace(in *input) error {
	traced, err := in.ReadByte()
	if err != nil || traced == 0 {
		return err
	}
	const ids, flags = 16 + 8, 1
	if err := in.skip(ids); err != nil {
		return err
	}
	if err := in.skipStrings(1); err != nil { // state
		return err
	}
	return in.skip(flags)
}

const (
	flagImportant = 1
	flagCustom    = 2
)

// eachSetting reads names with flags and values up to an empty name. Parameters are sent as settings too.
func eachSetting(in *input, limit int, add func(name, value string, flags uint64)) error {
	for range maxItems {
		name, err := in.string(maxName)
		if err != nil || name == "" {
			return err
		}
		flags, err := in.uvarint()
		if err != nil {
			return err
		}
		value, err := in.string(limit)
		if err != nil {
			return err
		}
		add(name, value, flags)
	}
	return fmt.Errorf("more than %d", maxItems)
}

func readSettings(in *input) (settings []session.Setting, err error) {
	err = eachSetting(in, maxName, func(name, value string, flags uint64) {
		if flags&flagCustom != 0 {
			value = unquote(value)
		}
		settings = append(settings, session.Setting{Name: name, Value: value, Optional: flags&flagImportant == 0})
	})
	return settings, err
}

func readParams(in *input) (params []chdb.Param, err error) {
	err = eachSetting(in, maxQuery, func(name, value string, _ uint64) {
		params = append(params, chdb.Param{Name: name, Value: unquote(value)})
	})
	return params, err
}

// unquoter undoes the escapes of a quoted field. A parameter's value is then still escaped as in a tab-separated file,
// which the engine undoes, as a server does.
var unquoter = strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\0`, "\x00", `\b`, "\b", `\f`, "\f")

// unquote takes a value out of the dump of a field, which is how strings are sent: 'it\'s'.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return s
	}
	return unquoter.Replace(s[1 : len(s)-1])
}
