package web

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"muster/deploy/local/engine/chdb"
	"muster/deploy/local/engine/session"
)

// headerTimeout ends connections that never finish their request's header.
const headerTimeout = 10 * time.Second

// stopPatience is how long Stop waits for what runs, and for clients that have connected and say nothing.
const stopPatience = 4 * time.Second

// Server serves an engine on one listener.
type Server struct {
	engine *session.Engine
	http   http.Server
	group  sync.WaitGroup
}

// Serve starts to serve; Stop ends it.
func Serve(engine *session.Engine, listener net.Listener, logger *log.Logger) *Server {
	s := &Server{engine: engine}
	mux := http.NewServeMux()
	mux.HandleFunc("/ping", ok)
	mux.HandleFunc("/replicas_status", ok)
	mux.HandleFunc("/{$}", s.handle)
	s.http = http.Server{
		Handler:           local(http.NewCrossOriginProtection().Handler(mux)),
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          logger,
	}
	s.group.Go(func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Printf("HTTP: %v", err)
		}
	})
	return s
}

// Stop takes no more requests and waits for those that run.
func (s *Server) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	s.group.Wait()
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_, _ = w.Write([]byte("Ok.\n")) // a client that has left needs no answer
}

// local refuses requests under a name that is not this machine's. A page of elsewhere that has made its name point here
// would pass for one of the same origin.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		ip := net.ParseIP(strings.Trim(host, "[]"))
		if host != "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "the embedded ClickHouse engine serves this machine only, as localhost or 127.0.0.1", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// handle runs one request.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-ClickHouse-Server-Display-Name", "muster")
	w.Header().Set("X-ClickHouse-Timezone", s.engine.Timezone())
	if r.Method == http.MethodGet && r.URL.Query().Get("query") == "" {
		ok(w, r)
		return
	}
	a := &answer{ResponseWriter: w}
	if err := s.run(a, r); err != nil {
		a.fail(err, s.engine.Version())
	}
}

func (s *Server) run(a *answer, r *http.Request) error {
	q, err := parse(r)
	if err != nil {
		return err
	}
	defer q.close()
	run, err := s.engine.New()
	if err != nil {
		return err
	}
	defer run.Close()
	if q.database != "" {
		if err := run.Use(q.database); err != nil {
			return err
		}
	}
	if err := run.Apply(q.settings); err != nil {
		return err
	}
	defer watch(r.Context(), run)()
	return q.run(a, run)
}

// watch cancels what the session runs when the client leaves, until it is stopped.
func watch(client context.Context, s *session.Session) (stop func()) {
	running, finish := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		select {
		case <-client.Done():
			s.Cancel(running)
		case <-running.Done():
		}
	})
	return func() { finish(); group.Wait() }
}

// refusal is an exception raised here, with a server's code for it.
func refusal(code int, name, text string) error {
	return &chdb.Error{Code: code, Name: name, Text: text}
}
