package clickhouse

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sourcegraph/conc"
)

// proxy stands between the sink and the server and loses what the test tells it to.
type proxy struct {
	listener net.Listener
	target   string
	group    conc.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]struct{}

	// reply is asked before the server's bytes are passed on, with the number of bytes that the client has sent on the
	// connection. If it says no, the bytes are lost and so is the connection.
	reply atomic.Pointer[func(sent int64) bool]
	// request is told how many bytes the client has sent on the connection, before the latest are passed on.
	request atomic.Pointer[func(sent int64)]
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, open: map[net.Conn]struct{}{}}
	p.group.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for conn := range p.open {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.group.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.remember(client, server)
		var sent atomic.Int64
		p.group.Go(func() { p.forward(client, server, &sent) })
		p.group.Go(func() { p.backward(client, server, &sent) })
	}
}

func (p *proxy) remember(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		p.open[conn] = struct{}{}
	}
}

func (p *proxy) forward(client, server net.Conn, sent *atomic.Int64) {
	copyChunks(server, client, func(n int) bool {
		total := sent.Add(int64(n))
		if told := p.request.Load(); told != nil {
			(*told)(total)
		}
		return true
	})
}

func (p *proxy) backward(client, server net.Conn, sent *atomic.Int64) {
	copyChunks(client, server, func(int) bool {
		asked := p.reply.Load()
		return asked == nil || (*asked)(sent.Load())
	})
}

// copyChunks copies until either side ends or pass says no, then closes both.
func copyChunks(to, from net.Conn, pass func(int) bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !pass(n) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
