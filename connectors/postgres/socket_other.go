//go:build !unix

package postgres

import (
	"context"
	"net"
	"time"
)

// dialSocket dials like the driver would.
func dialSocket(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// doze blocks for d.
func doze(d time.Duration) { time.Sleep(d) }
