package pipeline

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// Options of New. Zero values take the defaults named.
type Options struct {
	Environment string
	Workers     int           // goroutines that judge; 1
	BatchLimit  int           // changes in a batch, unless one transaction has more; 4096
	BatchBytes  int           // bytes of log in a batch, likewise; 4 MB
	OutboxLimit int64         // bytes of events no sink has taken yet, beyond which reading stops; 4 GB
	CacheBytes  int           // of records worked lately that are kept in memory; 64 MB
	TickEvery   time.Duration // least time between two ticks; 50 ms
	Logger      *slog.Logger
	Observer    Observer
}

// Pipeline is the worker: it reads a Source, keeps memberships and feeds sinks. Run it once.
type Pipeline struct {
	options  Options
	store    *state.Store
	source   Source
	compiler Compiler
	log      *slog.Logger
	observer Observer
	sinks    []*delivery

	head       state.Head // as of the last batch applied; belongs to the run loop
	catalogue  *catalogue
	rebuilding bool // a rebuild is being brought to its end
	takesOver  bool // it began with a rebuild
	workers    []*worker
	cache      *recordCache
	spare      spares
	sizes      sizes
	batches    chan *commit

	applied  progress // visible to readers
	durable  progress // on disk
	outbox   outbox
	timer    *wake // something about the earliest timer may have changed
	clock    clock
	busy     atomic.Bool // transactions are waiting or being judged
	position waiters     // who waits for a position or a token
	phase    atomic.Int32
	inForce  atomic.Pointer[generation] // for readers
	cuts     cuts                       // who wants to read the state at an exact position

	snapshotRows, snapshotTotal atomic.Int64
	timers                      struct {
		sync.Mutex
		counted time.Time
		pending uint64
	}
}

// New returns a pipeline over an open state directory.
func New(store *state.Store, source Source, compiler Compiler, o Options) *Pipeline {
	o.Workers = max(o.Workers, 1)
	o.BatchLimit = defaulted(o.BatchLimit, 4096)
	o.BatchBytes = defaulted(o.BatchBytes, 4<<20)
	o.OutboxLimit = defaulted(o.OutboxLimit, 4<<30)
	o.CacheBytes = defaulted(o.CacheBytes, 64<<20)
	o.TickEvery = defaulted(o.TickEvery, 50*time.Millisecond)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = silent{}
	}
	return &Pipeline{
		options: o, store: store, source: source, compiler: compiler, log: o.Logger, observer: o.Observer,
		batches: make(chan *commit, 2), timer: newWake(), applied: newProgress(), durable: newProgress(), outbox: outbox{wake: newWake()},
		position: newWaiters(), cuts: cuts{wake: newWake()},
	}
}

func defaulted[T int | int64 | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

// load takes up the state where it was left.
func (p *Pipeline) load() error {
	var err error
	if p.head, err = p.store.Head(); err != nil {
		return err
	}
	if p.rebuilding, err = rebuildPrepared(&p.store.View); err != nil {
		return err
	}
	p.takesOver = p.rebuilding
	if p.catalogue, err = loadCatalogue(&p.store.View, p.head, p.compiler); err != nil {
		return err
	}
	if p.sizes.members, err = p.store.Sizes(); err != nil {
		return err
	}
	events, bytes, err := p.store.OutboxSize()
	if err != nil {
		return err
	}
	p.outbox.add(int64(events), bytes)
	p.cache = newRecordCache(p.options.CacheBytes)
	for range p.options.Workers {
		p.workers = append(p.workers, &worker{
			environment: p.options.Environment, view: &p.store.View, cache: p.cache, catalogue: p.catalogue, judges: make(map[uint64]Judge),
		})
	}
	p.inForce.Store(p.catalogue.current())
	p.applied.set(p.head)
	p.durable.set(p.head)
	return nil
}

// sizes counts the members of each audience.
type sizes struct {
	mu      sync.Mutex
	members map[evaluator.AudienceID]int64
}

// AudienceSize is the number of members of one audience.
type AudienceSize struct {
	Audience string
	Members  int64
}

// ErrStopped is returned to readers when the pipeline stops while they wait.
var ErrStopped = errors.New("worker is stopping")

// silent is the observer of a pipeline that nobody watches.
type silent struct{}

func (silent) Committed(*Commit)   {}
func (silent) Delivered(*Delivery) {}
func (silent) Failed(*Failure)     {}

// Commit is what an Observer hears of a batch that became durable.
type Commit struct {
	Transactions int
	Changes      int
	Subjects     int // users judged
	Events       []Tally
	Bytes        int // of log
	Batch        int // of state written
	Judging      time.Duration
	Syncing      time.Duration
	Position     event.LSN
	Sequence     uint64            // of the last event
	Committed    evaluator.Instant // of the last transaction
	TimerDelays  []time.Duration   // of timers that fired: commit time of the transaction that passed them less their instant
	Disagreed    int64
	Visited      int64 // predicates looked at (evaluator.Diff)
}

// Tally counts events of one kind.
type Tally struct {
	Type  event.Type
	Cause event.Cause
	Count int
}

// Delivery is what an Observer hears of events a sink took.
type Delivery struct {
	Sink      string
	Events    []event.Event // valid during the call only
	Took      time.Duration
	At        evaluator.Instant // the source's clock when they were taken
	Remaining uint64            // events the sink has yet to take
}

// Failure is what an Observer hears of a fault that is being retried or that stops the worker.
type Failure struct {
	Sink string // "" for others
	Kind string
	Err  error
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %v", f.Kind, f.Err) }
