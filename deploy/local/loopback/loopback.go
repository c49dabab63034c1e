// Package loopback finds ports for the services of the local stack.
package loopback

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports come from below every system's ephemeral range (Linux begins at 32768, macOS at 49152). A port of that range may
// be taken by any outgoing connection between two starts of a server, and a restart on the same port would then fail.
const (
	lowest  = 18_000
	highest = 31_999
	tries   = 200
)

// Host is the address every local service listens on.
const Host = "127.0.0.1"

// FreePort returns a port on which nothing listens at the moment. The caller must be ready to lose the race for it.
func FreePort() (int, error) {
	var last error
	for range tries {
		port := lowest + rand.IntN(highest-lowest+1)
		l, err := net.Listen("tcp", Address(port))
		if err != nil {
			last = err
			continue
		}
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("close probe of port %d: %w", port, err)
		}
		return port, nil
	}
	return 0, fmt.Errorf("find a free port on %s between %d and %d: %w", Host, lowest, highest,
		errors.Join(errors.New("every port tried is taken"), last))
}

// Address is host:port of a port on the loopback interface.
func Address(port int) string { return net.JoinHostPort(Host, fmt.Sprint(port)) }
