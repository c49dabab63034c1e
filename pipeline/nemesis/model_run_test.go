package nemesis

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	modelOps  = flag.Int("model.ops", 1_200, "operations of the test of the API against a model")
	modelSeed = flag.Uint64("model.seed", 1, "its seed")
)

const (
	modelClients = 4
	modelPhases  = 3 // at least; between two of them definitions change
	phaseOps     = 2_500
	opsOfALife   = 300 // about as many are done until the worker is killed
)

// TestAPIAgainstAModel has several clients do everything that the API can do to users, members and audiences, and some of it
// by hand, while the worker's process is killed again and again. Then what is in Kafka and in ClickHouse, and what the API
// answers, is what the model says, nothing more and nothing less. -model.ops=100000 is the long form.
func TestAPIAgainstAModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "15")
	w.forModel()
	k := w.newWorker()
	k.start()
	k.ready()
	w.exec(`SELECT pg_create_logical_replication_slot('oracle', 'pgoutput')`)
	r := &modelRun{worker: k, random: rand.New(rand.NewPCG(*modelSeed, 0)), law: &laws{threshold: 50, version: map[string]uint32{}, document: map[string]string{}, archived: map[string]bool{}}}
	for i := range modelClients {
		r.clients = append(r.clients, w.newModelClient(string(rune('a'+i)), *modelSeed, r.law, &r.done))
	}
	t.Cleanup(r.hangUp)
	r.define()
	phases := max(modelPhases, *modelOps/phaseOps)
	for i := range phases {
		r.phase(*modelOps / phases)
		if t.Failed() {
			return
		}
		if i < phases-1 {
			r.amend(i)
		}
	}
	w.finish()
	k.settle()
	r.compareMembers()
	k.stop()
	r.compareEvents()
}

// modelRun is clients at work on a worker that does not live long.
type modelRun struct {
	*worker
	clients []*modelClient
	random  *rand.Rand
	law     *laws
	done    atomic.Int64
	kills   int
}

// forModel leaves the audiences of the oracle out, and the limit on requests.
func (w *world) forModel() {
	w.Helper()
	text, err := os.ReadFile(w.config)
	if err != nil {
		w.Fatal(err)
	}
	for was, is := range map[string]string{"http: {": "http: {limits: {requests_per_second: 0}, ", "audiences: {dir: audiences}\n": ""} {
		if !strings.Contains(string(text), was) {
			w.Fatalf("%q is not in\n%s", was, text)
		}
		text = []byte(strings.ReplaceAll(string(text), was, is))
	}
	w.write(w.config, string(text))
}

func (r *modelRun) hangUp() {
	for _, c := range r.clients {
		c.http.CloseIdleConnections()
	}
}

// phase has the clients do so many things, and kills the worker now and then.
func (r *modelRun) phase(operations int) {
	r.Helper()
	var running sync.WaitGroup
	until := r.done.Load() + int64(operations/modelClients*modelClients)
	stop := make(chan struct{})
	for _, c := range r.clients {
		running.Go(func() {
			for range operations / modelClients {
				if err := c.operate(); err != nil {
					r.Errorf("client %s, operation %d: %v", c.prefix, r.done.Load(), err)
					return
				}
			}
		})
	}
	go func() { running.Wait(); close(stop) }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	next := r.done.Load() + r.life()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if r.gone() {
			r.Errorf("the worker has ended by itself: %v", r.err)
			r.start()
		}
		if done := r.done.Load(); done >= next && done < until && !r.Failed() {
			r.die()
			next = r.done.Load() + r.life()
		}
	}
}

func (r *modelRun) life() int64 { return opsOfALife/2 + r.random.Int64N(opsOfALife) }

// die kills the worker and starts another.
func (r *modelRun) die() {
	r.kill()
	r.kills++
	r.start()
}

// define makes the audiences.
func (r *modelRun) define() {
	r.Helper()
	for _, d := range [][2]string{
		{openStatic, `{"type":"static"}`},
		{onceStatic, `{"type":"static","trigger_frequency":"once_per_user_and_tenant"}`},
		{payingAlways, dynamic(condition("plan", "equal_to", `"pro"`))},
		{highOnce, high(r.law.threshold)},
		{chosenPaying, dynamic(`{"operator":"is_audience_member","argument":"one"}`, condition("plan", "equal_to", `"pro"`))},
	} {
		r.commit(d[0], d[1])
	}
	r.caughtUp()
	for _, c := range r.clients {
		if err := c.look(); err != nil {
			r.Fatal(err)
		}
	}
}

func high(threshold int) string {
	return `{"type":"dynamic","trigger_frequency":"once_per_user","segments":[{"conditions":[` +
		condition("score", "greater_than_or_equal_to", fmt.Sprint(threshold)) + `]}]}`
}

// commit commits a definition through the API. One that is in force already is no new version.
func (r *modelRun) commit(key, document string) {
	r.Helper()
	_, err := r.clients[0].write(http.StatusOK, http.MethodPut, "/v1/audiences/"+key+"?environment=nemesis&commit=true&commit_message="+url.QueryEscape("because"),
		object{"audience": jsonText(document)})
	if err != nil {
		r.Fatal(err)
	}
	if r.law.document[key] != document {
		r.law.version[key]++
		r.law.document[key] = document
	}
}

// jsonText is JSON as it is.
type jsonText string

func (t jsonText) MarshalJSON() ([]byte, error) { return []byte(t), nil }

// amend changes what is in force, kills the worker on it, and waits until everybody is judged anew. Nobody does anything
// else meanwhile.
func (r *modelRun) amend(i int) {
	r.Helper()
	old := r.law.clone()
	if i%4 > 0 { // else the same again
		r.law.threshold = 1 + r.random.IntN(99)
	}
	r.commit(highOnce, high(r.law.threshold))
	r.inForce(old, i%2 == 0)
	old = r.law.clone()
	a, err := r.clients[0].request(http.MethodDelete, "/v1/audiences/"+onceStatic+"?environment=nemesis", "application/json", nil)
	if err != nil || a.status != http.StatusOK && a.status != http.StatusNotFound { // it was, by an attempt that was not answered
		r.Fatalf("archive: %d %v %v", a.status, a.body, err)
	}
	r.law.archived[onceStatic] = true
	delete(r.law.document, onceStatic)
	r.law.version[onceStatic]++
	r.inForce(old, i%2 == 1)
	old = r.law.clone()
	r.law.archived[onceStatic] = false
	r.commit(onceStatic, `{"type":"static","trigger_frequency":"once_per_user_and_tenant"}`)
	r.inForce(old, i%3 == 0)
}

func (l *laws) clone() *laws {
	return &laws{l.threshold, maps.Clone(l.version), maps.Clone(l.document), maps.Clone(l.archived)}
}

// inForce has the ledgers note what the new law does.
func (r *modelRun) inForce(old *laws, kill bool) {
	r.Helper()
	if kill {
		r.die()
	}
	r.caughtUp()
	for _, c := range r.clients {
		from := c.reach
		if err := c.look(); err != nil {
			r.Fatal(err)
		}
		c.amend(old, r.law, from, c.reach)
	}
}

// caughtUp waits until the worker has read everything, and no definition is being applied any more.
func (r *modelRun) caughtUp() {
	r.Helper()
	c := r.clients[0]
	if _, err := c.write(http.StatusOK, http.MethodPut, "/v1/users/nobody", object{"shoe": r.random.IntN(1000)}); err != nil { // answered when it is seen
		r.Fatal(err)
	}
	r.eventually("the definitions to be applied", func() bool { return strings.Contains(r.metrics(), "\nmuster_backfill_running 0\n") })
}
