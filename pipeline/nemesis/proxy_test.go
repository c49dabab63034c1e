package nemesis

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy is a network between the worker and one server: it can be cut at once or after some more bytes, stalled, and taken
// away. What is cut arrives in part, as with a real connection that breaks.
type proxy struct {
	listener net.Listener
	target   func() string

	mu      sync.Mutex
	links   map[net.Conn]struct{}
	refused bool
	open    chan struct{} // closed while bytes may pass
	budget  atomic.Int64  // bytes to pass until all connections are cut; negative: no end
	lose    atomic.Bool   // the next answer does not arrive, and all connections are cut
	cuts    atomic.Int64
	running sync.WaitGroup
}

func newProxy(t testing.TB, target func() string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, links: make(map[net.Conn]struct{}), open: make(chan struct{})}
	close(p.open)
	p.budget.Store(-1)
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) close() {
	_ = p.listener.Close()
	p.heal()
	p.refuse(true)
	p.running.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target())
		if err != nil || !p.add(client, server) {
			_ = client.Close()
			if server != nil {
				_ = server.Close()
			}
			continue
		}
		p.running.Go(func() { p.forward(client, server, false) })
		p.running.Go(func() { p.forward(server, client, true) })
	}
}

func (p *proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.links[c] = struct{}{}
	}
	return !p.refused
}

func (p *proxy) forward(from, to net.Conn, answers bool) {
	defer func() {
		_, _ = from.Close(), to.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.links, from)
		delete(p.links, to)
	}()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		open := p.open
		p.mu.Unlock()
		<-open
		if answers && n > 0 && p.lose.CompareAndSwap(true, false) {
			p.cut()
			return
		}
		allowed, cut := p.spend(n)
		if _, werr := to.Write(buffer[:allowed]); werr != nil || err != nil {
			return
		}
		if cut {
			p.cut()
			return
		}
	}
}

// spend takes n bytes off the budget and returns how many of them may pass.
func (p *proxy) spend(n int) (allowed int, cut bool) {
	for {
		left := p.budget.Load()
		switch {
		case left < 0:
			return n, false
		case int64(n) < left:
			if p.budget.CompareAndSwap(left, left-int64(n)) {
				return n, false
			}
		default:
			if p.budget.CompareAndSwap(left, -1) {
				return int(left), true
			}
		}
	}
}

// cut breaks every connection now.
func (p *proxy) cut() {
	p.cuts.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.links {
		_ = c.Close()
	}
}

// cutAfter breaks every connection when that many bytes more have passed.
func (p *proxy) cutAfter(bytes int64) { p.budget.Store(bytes) }

// loseAnswer swallows the next thing that the server says, and then breaks every connection: what was asked for may have
// been done.
func (p *proxy) loseAnswer() { p.lose.Store(true) }

// refuse cuts every connection and takes no new one until it is called with false.
func (p *proxy) refuse(yes bool) {
	p.mu.Lock()
	p.refused = yes
	p.mu.Unlock()
	if yes {
		p.cut()
	}
}

// stall holds everything back until heal.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		p.open = make(chan struct{})
	default:
	}
}

// heal makes the network a good one again. Connections that broke stay broken.
func (p *proxy) heal() {
	p.budget.Store(-1)
	p.lose.Store(false)
	p.refuse(false)
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}
