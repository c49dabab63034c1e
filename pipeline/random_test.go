package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"muster/evaluator"
	"muster/evaluator/compiled"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// TestRandomHistories runs random logs through a pipeline that is stopped, or crashes with what it had not synced lost,
// at random moments, and compares every user's events with the model's.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(rt)
		h.start()
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				h.stop()
				h.start()
			case 1:
				h.crash()
				h.start()
			default:
				h.transaction()
			}
		}
		h.stop()
		h.compare()
	})
}

// history is a random log and the pipeline that reads it.
type history struct {
	t        *rapid.T
	model    *model
	source   *script
	sink     *memory
	frozen   *atomic.Bool
	fs       *vfs.MemFS
	store    *state.Store
	running  *pipeline.Pipeline
	cancel   context.CancelFunc
	done     chan error
	now      evaluator.Instant
	version  uint32
	workers  int
	compiler pipeline.Compiler
}

var (
	randomUsers   = []string{"a", "b", "c", "d", "e"}
	randomTenants = []string{"", "", "x", "y"}
)

// randomDefinitions are several versions of each audience; all of them are acceptable together, whichever is chosen.
var randomDefinitions = map[string][]string{
	"pro": {
		`{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.plan","operator":"equal_to","argument":"pro"}]}]}`,
		`{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.plan","operator":"equal_to_any","argument":["pro","team"]}]}]}`,
	},
	"recent": {
		`{"type":"dynamic","trigger_frequency":"once_per_user","segments":[{"conditions":[{"property":"recipient.seen","operator":"is_timestamp_on_or_after","argument":"1 minutes ago"}]}]}`,
		`{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.seen","operator":"is_timestamp_before","argument":"2 minutes ago"},{"property":"recipient.plan","operator":"not_equal_to","argument":"free"}]}]}`,
	},
	"both": {
		`{"type":"dynamic","segments":[{"conditions":[{"operator":"is_audience_member","argument":"pro"},{"operator":"is_audience_member","argument":"recent"}]}]}`,
		`{"type":"dynamic","segments":[{"conditions":[{"operator":"is_not_audience_member","argument":"pro"},{"property":"recipient.plan","operator":"not_empty"}]}]}`,
	},
	"invited": {
		`{"type":"static"}`,
		`{"type":"static","trigger_frequency":"once_per_user_and_tenant"}`,
		`{"type":"static","trigger_frequency":"once_per_user"}`,
	},
	"guest": {
		`{"type":"dynamic","segments":[{"conditions":[{"operator":"is_audience_member","argument":{"audience":"invited","tenant":"x"}}]},{"conditions":[{"operator":"is_audience_member","argument":"calm"}]}]}`,
		`{"type":"dynamic","segments":[{"conditions":[{"operator":"is_audience_member","argument":"invited"},{"operator":"is_not_audience_member","argument":"calm"}]}]}`,
	},
	"calm": {
		`{"type":"dynamic","settle":{"enter":"30s","exit":"90s"},"segments":[{"conditions":[{"property":"recipient.plan","operator":"equal_to","argument":"pro"}]}]}`,
		`{"type":"dynamic","settle":{"enter":"0s","exit":"1m"},"segments":[{"conditions":[{"operator":"is_audience_member","argument":"recent"}]}]}`,
	},
	"calmer": {
		`{"type":"dynamic","settle":{"enter":"20s","exit":"0s"},"segments":[{"conditions":[{"operator":"is_audience_member","argument":"calm"}]}]}`,
	},
}

var definitionOrder = []string{"pro", "recent", "both", "invited", "calm", "guest", "calmer"}

// leafKeys may be archived: nobody refers to them.
var leafKeys = []string{"both", "guest", "calmer"}

func newHistory(t *rapid.T) *history {
	h := &history{
		t: t, model: newModel(), source: newScript(), sink: newMemory(), frozen: new(atomic.Bool), fs: vfs.NewCrashableMem(),
		now: 1000 * second, version: 1, workers: rapid.IntRange(1, 3).Draw(t, "workers"),
	}
	h.compiler = rapid.SampledFrom([]pipeline.Compiler{plainly{}, compiling{}}).Draw(t, "compiler")
	h.source.chunk = rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "chunk")
	first := event.SnapshotChunk{Consistent: 1000, Time: h.now, Schema: schema}
	var changes []event.Change
	for _, key := range definitionOrder {
		first.Definitions = append(first.Definitions, define(key, 1, rapid.SampledFrom(randomDefinitions[key]).Draw(t, key)))
	}
	for range rapid.IntRange(0, 3).Draw(t, "recorded") {
		m := h.member()
		first.Members = append(first.Members, *m)
		changes = append(changes, event.Change{Op: event.MemberAdd, Member: m})
	}
	second := event.SnapshotChunk{Consistent: 1000, Time: h.now, Schema: schema, Last: true}
	for _, u := range randomUsers[:rapid.IntRange(0, 3).Draw(t, "present")] {
		c := h.upsert(u)
		second.Users = append(second.Users, event.SnapshotUser{ID: u, Row: c.Row})
		second.Through = u
		changes = append(changes, c)
	}
	h.source.snapshot = []event.SnapshotChunk{first, second}
	h.model.clock = h.now - 1
	h.model.define(h.now, first.Definitions)
	h.model.snapshot = true
	for _, c := range changes { // each chunk is a step of its own; users come after the members recorded for them
		h.model.commit(h.now, []event.Change{c})
	}
	h.model.snapshot, h.model.clock = false, h.now
	return h
}

func (h *history) member() *event.Member {
	return &event.Member{
		Audience: "invited", User: rapid.SampledFrom(randomUsers).Draw(h.t, "member"),
		Tenant: rapid.SampledFrom(randomTenants).Draw(h.t, "tenant"), AddedAt: h.now,
	}
}

func (h *history) upsert(u string) event.Change {
	plan := rapid.SampledFrom([]string{"pro", "free", "team", ""}).Draw(h.t, "plan")
	seen := h.now - evaluator.Instant(rapid.IntRange(-20, 150).Draw(h.t, "seen"))*second
	return upsert(u, plan, seen)
}

func (h *history) user() string { return rapid.SampledFrom(randomUsers).Draw(h.t, "user") }

func (h *history) change() event.Change {
	switch rapid.IntRange(0, 11).Draw(h.t, "op") {
	case 0, 1:
		return remove(h.user())
	case 2, 3:
		return event.Change{Op: event.MemberAdd, Member: h.member()}
	case 4:
		return event.Change{Op: event.MemberRemove, Member: h.member()}
	case 5:
		if rapid.IntRange(0, 3).Draw(h.t, "rarely") == 0 {
			return event.Change{Op: event.Truncate}
		}
	case 6:
		if rapid.IntRange(0, 3).Draw(h.t, "rarely") == 0 {
			return event.Change{Op: event.MembersTruncate}
		}
	case 7: // the key changes, if there is one to change
		old := h.user()
		c := h.upsert(h.user())
		if _, present := h.model.users[old]; present {
			c.OldUser = old
		}
		return c
	case 8: // an unchanged TOASTed plan
		u := h.user()
		if _, present := h.model.users[u]; present {
			var t evaluator.Tuple
			t = t.AppendText([]byte(u)).AppendUnchanged().AppendText([]byte(h.now.Time().Format("2006-01-02 15:04:05.999999+00")))
			return event.Change{Op: event.Upsert, User: u, Schema: schema, Row: t}
		}
	}
	return h.upsert(h.user())
}

// transaction appends a random transaction to the log.
func (h *history) transaction() {
	h.now += evaluator.Instant(rapid.SampledFrom([]int64{-3_000_000, 0, 1, 999_999, 7_000_000, 60_000_000, 200_000_000}).Draw(h.t, "passes"))
	var changes []event.Change
	deleted := make(map[string]bool) // an unchanged value cannot follow a delete in the same transaction
	for range rapid.IntRange(0, 4).Draw(h.t, "changes") {
		c := h.change()
		if unfilled(c) && (deleted[c.User] || deleted["*"]) {
			c = h.upsert(c.User)
		}
		switch {
		case c.Op == event.Truncate:
			deleted["*"] = true
		case c.Op == event.Delete:
			deleted[c.User] = true
		case c.OldUser != "":
			deleted[c.OldUser] = true
		}
		changes = append(changes, c)
	}
	switch rapid.IntRange(0, 9).Draw(h.t, "kind") {
	case 0:
		h.version++
		key := rapid.SampledFrom(definitionOrder).Draw(h.t, "key")
		d := define(key, h.version, rapid.SampledFrom(randomDefinitions[key]).Draw(h.t, "definition"))
		if slices.Contains(leafKeys, key) && rapid.Bool().Draw(h.t, "archive") && !h.referenced(key) {
			d.Archived = true
		}
		if !d.Archived && !h.acceptable(d) {
			break
		}
		changes = []event.Change{{Op: event.Define, Definition: &d}}
	case 1, 2:
		var parts [][]event.Change
		for rest := changes; ; {
			n := rapid.IntRange(0, len(rest)).Draw(h.t, "part")
			parts, rest = append(parts, rest[:n]), rest[n:]
			if len(rest) == 0 {
				break
			}
		}
		h.source.parts(h.now, parts...)
		h.model.commit(h.now, changes)
		return
	}
	h.source.commit(h.now, changes...)
	h.model.commit(h.now, changes)
}

// referenced reports whether an audience in force asks about key.
func (h *history) referenced(key string) bool {
	for _, d := range h.model.defs {
		for _, r := range d.References() {
			if r.Audience == key {
				return true
			}
		}
	}
	return false
}

// acceptable reports whether a definition can stand beside those in force.
func (h *history) acceptable(d event.Definition) bool {
	decoded, err := evaluator.Decode(d.Document, d.Audience)
	if err != nil {
		return false
	}
	all := []*evaluator.Definition{decoded}
	for key, have := range h.model.defs {
		if key != d.Audience {
			all = append(all, have.Definition)
		}
	}
	return evaluator.CheckSet(all) == nil
}

func unfilled(c event.Change) bool {
	if c.Op != event.Upsert {
		return false
	}
	_, err := evaluator.NewRow(schema, c.Row)
	return err != nil
}

// compiling compiles with the evaluator that the worker uses.
type compiling struct{}

func (compiling) Compile(audiences []evaluator.Audience, schema *evaluator.Schema) (func() pipeline.Judge, error) {
	set, err := compiled.Compile(audiences, schema)
	if err != nil {
		return nil, err
	}
	return func() pipeline.Judge { return set.NewJudge() }, nil
}

// freezing stands between a pipeline and the sink: once frozen, nothing that it delivers counts.
type freezing struct {
	*memory
	frozen *atomic.Bool
}

var errFrozen = errors.New("frozen")

func (f freezing) Deliver(ctx context.Context, events []event.Event) error {
	if f.frozen.Load() {
		return errFrozen
	}
	return f.memory.Deliver(ctx, events)
}

func (h *history) start() {
	store, err := state.Open("state", state.Options{FS: h.fs})
	if err != nil {
		h.t.Fatal(err)
	}
	head, err := store.Head()
	if err != nil {
		h.t.Fatal(err)
	}
	if acked := event.LSN(h.source.acked.Load()); acked > head.End {
		h.t.Fatalf("acknowledged %s, on disk is %s", acked, head.End)
	}
	if n := uint64(len(h.sink.all())); n > head.Sequence {
		h.t.Fatalf("the sink has %d events, on disk are %d", n, head.Sequence)
	}
	h.frozen = new(atomic.Bool)
	h.store = store
	h.running = pipeline.New(store, h.source, h.compiler, pipeline.Options{
		Environment: "test", Workers: h.workers, BatchLimit: rapid.SampledFrom([]int{1, 3, 4096}).Draw(h.t, "batch"), TickEvery: time.Hour,
		CacheBytes: rapid.SampledFrom([]int{1, 800, 1 << 20}).Draw(h.t, "cache"),
	})
	h.running.AddSink(freezing{h.sink, h.frozen}, pipeline.SinkOptions{MaxEvents: rapid.SampledFrom([]int{1, 5000}).Draw(h.t, "delivery")})
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel, h.done = cancel, make(chan error, 1)
	go func(p *pipeline.Pipeline, done chan error) { done <- p.Run(ctx, 10*time.Second) }(h.running, h.done)
}

// stop waits until everything was worked and ends the pipeline in order.
func (h *history) stop() {
	h.settle()
	h.cancel()
	if err := <-h.done; err != nil {
		h.t.Fatalf("Run: %v", err)
	}
	if err := h.store.Close(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	h.source.mu.Lock()
	last := h.source.lsn
	if len(h.source.log) == 0 {
		last = 1000
	}
	h.source.mu.Unlock()
	reached := make(chan error, 1)
	go func() { reached <- h.running.AwaitPosition(ctx, last) }()
	select {
	case err := <-h.done:
		h.t.Fatalf("Run ended: %v", err)
	case err := <-reached:
		if err != nil {
			h.t.Fatalf("stuck before %s: %+v", last, h.running.Status())
		}
	}
	for s := h.running.Status(); s.Backfill.Running || s.Phase != pipeline.Streaming; s = h.running.Status() {
		if ctx.Err() != nil {
			h.t.Fatal("backfill does not end")
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// crash takes the disk as a power cut would leave it, and lets the pipeline go on into nothing.
func (h *history) crash() {
	for range rapid.IntRange(0, 20).Draw(h.t, "later") {
		time.Sleep(50 * time.Microsecond)
	}
	h.frozen.Store(true)
	acked := h.source.acked.Load()
	seed := rapid.Uint64().Draw(h.t, "lost")
	clone := h.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rapid.SampledFrom([]int{0, 50}).Draw(h.t, "kept"), RNG: rand.New(rand.NewPCG(seed, 1))})
	h.cancel()
	if err := <-h.done; err != nil && !errors.Is(err, errFrozen) {
		h.t.Fatalf("Run: %v", err)
	}
	if err := h.store.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.source.acked.Store(acked)
	h.fs = clone
}

func (h *history) compare() {
	have := make(map[string][]string)
	for _, e := range h.sink.all() {
		have[e.User] = append(have[e.User], fmt.Sprintf("%s/%s in=%v %s @%d #%d since %d trigger=%v",
			e.Audience, e.Tenant, e.Type == event.Entered, e.Cause, e.OccurredAt, e.EntryCount, e.EnteredAt, e.Trigger))
	}
	for _, u := range randomUsers {
		want, got := slices.Clone(h.model.events[u]), have[u]
		// at one instant the order among audiences is the pipeline's affair, but for what other tests say of references
		if !slices.Equal(byInstant(want), byInstant(got)) {
			h.t.Fatalf("user %s\nhave\n  %s\nwant\n  %s", u, strings.Join(byInstant(got), "\n  "), strings.Join(byInstant(want), "\n  "))
		}
	}
}

// byInstant sorts what happened at the same instant.
func byInstant(lines []string) []string {
	sorted := slices.Clone(lines)
	at := func(s string) string {
		_, rest, _ := strings.Cut(s, "@")
		at, _, _ := strings.Cut(rest, " ")
		return fmt.Sprintf("%020s", at)
	}
	slices.SortStableFunc(sorted, func(a, b string) int {
		if c := strings.Compare(at(a), at(b)); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return sorted
}
