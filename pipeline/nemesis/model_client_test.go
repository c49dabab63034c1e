package nemesis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"muster/pipeline/event"
)

type object = map[string]any

// modelClient does things through the API to users that no other client knows, and notes in its ledger what must come of it.
type modelClient struct {
	*world
	*ledger
	random   *rand.Rand
	law      *laws // changed only while no client does anything
	prefix   string
	http     *http.Client
	done     *atomic.Int64
	reach    event.LSN // everything it did was committed before
	position string    // of its last write
	retries  int
}

// modelUsers is how many users a client knows.
const modelUsers = 60

func (w *world) newModelClient(name string, seed uint64, law *laws, done *atomic.Int64) *modelClient {
	return &modelClient{world: w, ledger: newLedger(), random: rand.New(rand.NewPCG(seed, uint64(name[0]))), law: law, prefix: name + "-",
		http: &http.Client{Transport: &http.Transport{}}, done: done}
}

// answered is the answer to a request, and how often it was sent.
type answered struct {
	status   int
	body     object
	attempts int
}

// request sends a request under an Idempotency-Key until it is answered by a worker: the one it was sent to may be killed
// before, after or while it does what it is asked.
func (c *modelClient) request(method, path, contentType string, body []byte) (a answered, err error) {
	key := fmt.Sprint(c.prefix, c.random.Uint64())
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		a.attempts++
		err = c.once(ctx, &a, method, path, contentType, key, body)
		switch {
		case ctx.Err() != nil:
			return a, fmt.Errorf("%s %s: no answer after %d attempts: %d %v %w", method, path, a.attempts, a.status, a.body, err)
		case err == nil && a.status == http.StatusConflict: // the worker that is gone took the key with it; doing it twice is no change
			key = fmt.Sprint(c.prefix, c.random.Uint64())
		case err == nil && a.status < 500:
			return a, nil
		}
		c.retries++
		<-pause.C
	}
}

func (c *modelClient) once(ctx context.Context, a *answered, method, path, contentType, key string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.api+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", contentType)
	if method != http.MethodGet {
		r.Header.Set("Idempotency-Key", key)
	} else if c.position != "" {
		r.Header.Set("Muster-Position", c.position)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	a.status, a.body = response.StatusCode, nil
	if method != http.MethodGet {
		c.position = response.Header.Get("Muster-Position")
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &a.body); err != nil {
			return fmt.Errorf("%s %s: %d %q: %w", method, path, response.StatusCode, text, err)
		}
	}
	return nil
}

// write sends JSON that must be taken with the status.
func (c *modelClient) write(want int, method, path string, body any) (answered, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answered{}, err
	}
	a, err := c.request(method, path, "application/json", text)
	if err == nil && a.status != want {
		err = fmt.Errorf("%s %s %s: %d %v, want %d", method, path, text, a.status, a.body, want)
	}
	return a, err
}

// rpc calls a method of a reverse ETL tool's protocol.
func (c *modelClient) rpc(path, method string, params any) (object, error) {
	a, err := c.write(http.StatusOK, http.MethodPost, path, object{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	result, ok := a.body["result"].(object)
	if !ok {
		return nil, fmt.Errorf("%s: %v", method, a.body)
	}
	return result, nil
}

// operate does one thing and has the ledger note it.
func (c *modelClient) operate() error {
	defer c.done.Add(1)
	t := c.begin()
	did := operations[c.random.IntN(len(operations))]
	if err := did(c, t); err != nil {
		return err
	}
	from := c.reach
	if err := c.look(); err != nil {
		return err
	}
	t.commit(c.law, from, c.reach)
	if c.position == "" { // nothing was changed by the attempt that was answered
		return nil
	}
	for id := range t.before {
		if err := c.ask(id); err != nil {
			return err
		}
		break // one of them tells
	}
	return nil
}

// look notes how far the log has come.
func (c *modelClient) look() error {
	var text string
	if err := c.db.QueryRow(context.Background(), `SELECT pg_current_wal_insert_lsn()::text`).Scan(&text); err != nil {
		return err
	}
	at, err := event.ParseLSN(text)
	c.reach = at
	return err
}

// ask holds what the worker says of a user, right after a write, to the ledger.
func (c *modelClient) ask(id string) error {
	a, err := c.request(http.MethodGet, "/v1/users/"+id+"/audiences", "", nil)
	if err != nil {
		return err
	}
	var got, want []string
	entries, _ := a.body["entries"].([]any)
	for _, e := range entries {
		e := e.(object)
		tenant, _ := e["tenant"].(string)
		got = append(got, fmt.Sprint(e["audience"], "/", tenant))
	}
	for e, r := range c.law.rulings(c.person(id)) {
		if r.in {
			want = append(want, e.audience+"/"+e.tenant)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if a.status != http.StatusOK || !slices.Equal(got, want) {
		return fmt.Errorf("user %s at %s is in %q (%d), want %q", id, c.position, strings.Join(got, " "), a.status, strings.Join(want, " "))
	}
	return nil
}

func (c *modelClient) user() string { return fmt.Sprint(c.prefix, c.random.IntN(modelUsers)) }

func (c *modelClient) pick(of ...string) string { return of[c.random.IntN(len(of))] }

func (c *modelClient) place() enrolment {
	return enrolment{c.pick(openStatic, onceStatic), c.pick("", "", "acme", "umbra")}
}
