package clickhouse

import (
	"encoding/binary"
	"net"
	"strings"
	"testing"

	"github.com/sourcegraph/conc"

	"muster/pipeline/event"
)

// refusing is a server that answers every handshake with an exception, as ClickHouse does for a wrong password.
func refusing(t *testing.T, code int32, name, message string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group conc.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		group.Wait()
	})
	answer := binary.LittleEndian.AppendUint32([]byte{2}, uint32(code)) // packet 2 is an exception
	for _, text := range []string{name, message, "stack"} {
		answer = append(binary.AppendUvarint(answer, uint64(len(text))), text...)
	}
	answer = append(answer, 0) // nothing nested
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write(answer)
			_ = conn.Close()
		}
	})
	return listener.Addr().String()
}

// A wrong password ends every way in with the same terminal error, which says what to do and does not say the password.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	options.Addr = []string{refusing(t, 516, "DB::Exception", "writer: Authentication failed: password is incorrect")}
	options.Username, options.Password = "writer", "hunter22"
	s := newSink(t, options)
	for name, err := range map[string]error{
		"Recover": s.Recover(deadline(t)),
		"Deliver": s.Deliver(deadline(t), []event.Event{entry(1, "a", "u", 1, at("2026-05-01T00:00:00Z"))}),
	} {
		wantTerminal(t, err, Authentication, "Authentication failed", "clickhouse.username (writer)")
		if strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s tells the password: %v", name, err)
		}
	}
	for _, err := range (&History{s.session}).User(deadline(t), "u") {
		wantTerminal(t, err, Authentication, "history of user u")
	}
	results := s.Check(deadline(t))
	if len(results) != 1 || results[0].Status != Fails || !strings.Contains(results[0].Repair, "clickhouse.password") {
		t.Errorf("check says %v", results)
	}
}
