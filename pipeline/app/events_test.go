package app

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// sse is a client of the event stream.
type sse struct {
	*served
	cancel  context.CancelFunc
	scanner *bufio.Scanner
}

func (s *served) listen(query string, header ...string) *sse {
	s.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/events"+query, nil)
	if err != nil {
		s.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		s.Fatalf("%s %v", response.Status, response.Header)
	}
	return &sse{s, cancel, bufio.NewScanner(response.Body)}
}

// message is one server-sent event.
type message struct {
	id, event string
	data      map[string]any
}

// next returns the next message that has data; ok is false when the stream has ended.
func (c *sse) next() (m message, ok bool) {
	c.Helper()
	for c.scanner.Scan() {
		name, value, _ := strings.Cut(c.scanner.Text(), ": ")
		switch name {
		case "id":
			m.id = value
		case "event":
			m.event = value
		case "data":
			if err := json.Unmarshal([]byte(value), &m.data); err != nil {
				c.Fatal(err)
			}
		case "":
			if m.data != nil {
				return m, true
			}
			m = message{}
		}
	}
	return m, false
}

func TestEventsStream(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.commit("pro", plan("pro"))
	s.commit("free", plan("free"))
	s.settle()
	all, pro := s.listen(""), s.listen("?audience=pro")
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('a', 'free')`)
	exec(t, s.db, `UPDATE users SET plan = 'pro' WHERE id = 'a'`)
	exec(t, s.db, `UPDATE users SET plan = 'free' WHERE id = 'a'`)
	var got []string
	for range 5 {
		m, _ := all.next()
		got = append(got, m.id+" "+m.event+" "+m.data["audience"].(string))
		if m.data["sequence"] != float64(len(got)) || m.data["user_id"] != "a" || m.data["cause"] != "change" {
			t.Errorf("%+v", m)
		}
	}
	if got[0] != "1 audience.entered free" || !strings.HasPrefix(got[4], "5 ") {
		t.Errorf("%q", got)
	}
	for _, event := range []string{"audience.entered", "audience.exited"} {
		if m, _ := pro.next(); m.event != event || m.data["audience"] != "pro" {
			t.Errorf("filtered: %+v", m)
		}
	}
	all.cancel()

	// A client that comes back goes on where it was.
	again := s.listen("", "Last-Event-ID: 3")
	for want := 4; want <= 5; want++ {
		if m, _ := again.next(); m.id != strconv.Itoa(want) {
			t.Errorf("resumed: %+v, want %d", m, want)
		}
	}

	// What the outbox has let go of is said. It only ever lets go of what every sink has taken.
	s.settle()
	if _, _, err := s.worker.store.Discard(4); err != nil {
		t.Fatal(err)
	}
	late := s.listen("?after=1")
	if m, _ := late.next(); m.event != "gap" || m.data["missed"] != 3.0 {
		t.Errorf("gap: %+v", m)
	}
	if m, _ := late.next(); m.id != "5" {
		t.Errorf("behind the gap: %+v", m)
	}
	s.want(422, "GET", "/v1/events?after=x", "")
	s.want(422, "GET", "/v1/events?audience=A%20B", "")

	// Streams end when the worker stops, and do not hold it up.
	s.stop()
	if m, ok := again.next(); ok {
		t.Errorf("after the end: %+v", m)
	}
}
