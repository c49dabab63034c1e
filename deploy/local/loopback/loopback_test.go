package loopback

import (
	"net"
	"testing"
)

func TestFreePortCanBeListenedOn(t *testing.T) {
	t.Parallel()
	for range 20 {
		port, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if port < lowest || port > highest {
			t.Fatalf("port %d lies outside %d to %d", port, lowest, highest)
		}
		l, err := net.Listen("tcp", Address(port))
		if err != nil {
			t.Fatalf("port %d was called free: %v", port, err)
		}
		t.Cleanup(func() { _ = l.Close() })
	}
}
