package native

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// hello is what a client introduces itself with. Who it says to be does not matter: the server is its user's own.
type hello struct {
	name     string
	revision int
	database string
}

// interServer is the name of the user as which servers talk to each other.
const interServer = " INTERSERVER SECRET "

func readHello(in *input) (h hello, err error) {
	code, err := in.uvarint()
	if err != nil {
		return h, err
	}
	if code != clientHello {
		return h, fmt.Errorf("packet %d where hello was expected: is it a client of ClickHouse's native protocol?", code)
	}
	if h.name, err = in.string(maxName); err != nil {
		return h, err
	}
	if err := in.skipNumbers(2); err != nil { // version
		return h, err
	}
	revision, err := in.uvarint()
	if err != nil {
		return h, err
	}
	h.revision = int(min(revision, revisionOurs))
	if h.database, err = in.string(maxName); err != nil {
		return h, err
	}
	user, err := in.string(maxName)
	if err != nil {
		return h, err
	}
	if _, err := in.string(maxName); err != nil { // password
		return h, err
	}
	switch {
	case user == interServer:
		return h, errors.New("the embedded engine does not talk to other servers")
	case h.revision < revisionOldest:
		return h, fmt.Errorf("client %q speaks revision %d, too old for the embedded engine, which needs %d", h.name, revision, revisionOldest)
	}
	return h, nil
}

// readAddendum reads what newer clients send after the server's hello.
func readAddendum(in *input, revision int) error {
	if revision < revisionAddendum {
		return nil
	}
	return in.skipStrings(1) // quota key
}

// hello answers a client of any served revision.
func (out *output) hello(version, timezone string) {
	var parts [3]uint64
	for i, part := range strings.SplitN(version, ".", 4) {
		if i < len(parts) {
			parts[i], _ = strconv.ParseUint(part, 10, 32)
		}
	}
	out.uvarint(serverHello)
	out.string("ClickHouse")
	out.uvarint(parts[0])
	out.uvarint(parts[1])
	out.uvarint(revisionOurs)
	out.string(timezone)
	out.string("muster") // what clickhouse-client shows as the server's name
	out.uvarint(parts[2])
}
