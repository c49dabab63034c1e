package api

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/pipeline/event"
)

// A server whose connections are pipes in memory, on the clock of synctest. A pipe holds nothing: what is not received is
// not sent.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8470} }

// end is the server's end of a pipe.
type end struct{ net.Conn }

func (end) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5555} }

// piped serves parts over pipes. It returns a way to connect, what the log says, and when each request ended, of which there
// may be a few.
func piped(t *testing.T, parts ...Part) (dial func() net.Conn, log *bytes.Buffer, ended chan time.Time) {
	t.Helper()
	log, ended = new(bytes.Buffer), make(chan time.Time, 4)
	o := Options{Log: slog.New(slog.NewTextHandler(log, nil)), Observe: func(string, int, time.Duration) { ended <- time.Now() }}
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: New(o, parts...), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(p)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return func() net.Conn {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { _ = ours.Close() })
		p.conns <- end{theirs}
		return ours
	}, log, ended
}

func send(t *testing.T, to io.Writer, format string, args ...any) {
	t.Helper()
	if _, err := fmt.Fprintf(to, format, args...); err != nil {
		t.Fatal(err)
	}
}

// crowd is an audience of that many members, each of several pieces.
type crowd struct {
	Lists
	members int
}

func (c crowd) ListMembers(string, Window) ([]MemberRow, bool, error) { return nil, true, nil }

func (c crowd) EachMember(_ string, visit func(MemberRow) error) (event.LSN, bool, error) {
	for i := range c.members {
		if err := visit(MemberRow{User: strings.Repeat("u", 5*piece) + fmt.Sprint(i)}); err != nil {
			return 0, true, err
		}
	}
	return 0, true, nil
}

// TestAnExportFollowsItsReader: a reader may be slow, however long it takes; one that stops is cut off, and lets go of what it held.
func TestAnExportFollowsItsReader(t *testing.T) {
	t.Parallel()
	for _, stops := range []bool{false, true} {
		t.Run(fmt.Sprintf("stops=%t", stops), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const members = 40
				dial, log, ended := piped(t, Data{Lists: crowd{members: members}})
				conn := dial()
				send(t, conn, "GET /v1/audiences/a/export HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
				began, lines := time.Now(), 0
				buffer := make([]byte, piece/2)
				for {
					time.Sleep(defaultPatience / 5) // less than a piece and its like in net/http's buffer take
					n, err := conn.Read(buffer)
					lines += bytes.Count(buffer[:n], []byte(`"user_id"`))
					if stops && lines > 10 {
						break
					}
					if err != nil {
						break
					}
				}
				stopped := time.Now()
				at := <-ended
				synctest.Wait() // it is logged after that
				switch broke := strings.Contains(log.String(), "the client received nothing for 20s"); {
				case stops && (at.Sub(stopped) > defaultPatience || !broke):
					t.Errorf("it ended %s after its reader stopped: %s", at.Sub(stopped), log)
				case !stops && (broke || at.Sub(began) < 10*defaultPatience):
					t.Errorf("after %s %d lines had been read: %s", at.Sub(began), lines, log)
				}
			})
		})
	}
}

// endless is a preview that does not end by itself.
type endless struct{ ended chan error }

func (e endless) Preview(ctx context.Context, _ PreviewQuestion, progress func(PreviewProgress)) (*Preview, error) {
	for ctx.Err() == nil {
		progress(PreviewProgress{Users: 1})
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	e.ended <- context.Cause(ctx)
	return nil, context.Cause(ctx)
}

// TestAPreviewEndsWithItsReader: it holds a snapshot, and the place of the one preview at a time.
func TestAPreviewEndsWithItsReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		preview := endless{make(chan error, 1)}
		dial, log, ended := piped(t, Previews{Previewer: preview})
		conn := dial()
		body := `{"audience": {"type": "dynamic", "segments": []}}`
		send(t, conn, "POST /v1/audiences/preview/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		in := bufio.NewReader(conn)
		for read := 0; read < 300; { // for five minutes
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("%v after %d lines: %s", err, read, log)
			}
			if strings.Contains(line, "progress") {
				read++
			}
		}
		stopped := time.Now()
		if err := <-preview.ended; err == nil {
			t.Error("the preview was not told")
		}
		at := <-ended
		synctest.Wait() // it is logged after that
		if at.Sub(stopped) > defaultPatience+2*time.Second || !strings.Contains(log.String(), "the client received nothing for 20s") {
			t.Errorf("it ended %s after its reader stopped: %s", at.Sub(stopped), log)
		}
	})
}

// TestAnImportFollowsItsWriter: so does a body that is read as it comes.
func TestAnImportFollowsItsWriter(t *testing.T) {
	t.Parallel()
	for _, stops := range []bool{false, true} {
		t.Run(fmt.Sprintf("stops=%t", stops), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dial, log, _ := piped(t, Data{})
				conn := dial()
				head := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.csv\"\r\n\r\nid,plan\r\n"
				row, tail := "u1,pro\r\n", "--x--\r\n"
				const rows = 60
				send(t, conn, "POST /v1/audiences/a/import?dry_run=true HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"+
					"Content-Length: %d\r\n\r\n%s", len(head)+rows*len(row)+len("\r\n")+len(tail), head)
				for i := range rows {
					time.Sleep(defaultPatience * 3 / 4)
					if stops && i == rows/2 {
						break
					}
					send(t, conn, "%s", row)
				}
				if !stops {
					send(t, conn, "\r\n%s", tail)
				}
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatalf("%v: %s", err, log)
				}
				text, _ := io.ReadAll(response.Body)
				if stops && (response.StatusCode != 408 || !strings.Contains(string(text), "nothing more of the body arrived for 20s")) {
					t.Errorf("a writer that stopped: %d %s", response.StatusCode, text)
				}
				if !stops && response.StatusCode != 200 {
					t.Errorf("a slow writer: %d %s", response.StatusCode, text)
				}
			})
		})
	}
}
