package nemesis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// nemesis does the harm of one round.
type nemesis struct {
	*world
	*rand.Rand
	worker *worker
	done   tally
	found  []violation
}

// fault is one kind of harm. It leaves the servers running, but connections may be broken, and the worker is on its own
// to come back.
type fault struct {
	name   string
	weight int
	do     func(n *nemesis)
}

var faults = []fault{
	{"worker killed", 30, func(n *nemesis) { n.kill(0) }},
	{"worker killed and away", 4, func(n *nemesis) { n.kill(n.short(1500)) }},
	{"worker killed while it starts", 10, func(n *nemesis) {
		n.kill(0)
		n.pause(n.short(300))
		n.kill(0)
	}},
	{"worker stopped", 3, func(n *nemesis) {
		n.check()
		n.worker.stop()
		n.found = append(n.found, n.durability()...)
		n.worker.start()
	}},
	{"worker frozen", 2, func(n *nemesis) {
		n.worker.freeze(true)
		n.pause(n.short(1000))
		n.worker.freeze(false)
	}},
	{"postgres connection cut", 4, func(n *nemesis) { n.toPostgres.cutAfter(n.Int64N(100_000)) }},
	{"postgres answer lost", 2, func(n *nemesis) { n.toPostgres.loseAnswer() }},
	{"postgres connection stalled", 2, func(n *nemesis) { n.stall(n.toPostgres) }},
	{"postgres out of reach", 2, func(n *nemesis) { n.outage(n.toPostgres) }},
	{"postgres crashed", 4, func(n *nemesis) { n.pg.Kill(); n.restartPostgres() }},
	{"postgres restarted", 3, (*nemesis).restartPostgres},
	{"kafka connection cut", 6, func(n *nemesis) { n.toKafka.cutAfter(n.Int64N(40_000)) }},
	{"kafka answer lost", 8, func(n *nemesis) { n.toKafka.loseAnswer() }},
	{"kafka connection stalled", 2, func(n *nemesis) { n.stall(n.toKafka) }},
	{"kafka out of reach", 5, func(n *nemesis) { n.outage(n.toKafka) }},
	{"kafka answers errors", 4, (*nemesis).kafkaErrors},
	{"kafka closes connections", 3, (*nemesis).kafkaCloses},
	{"clickhouse connection cut", 6, func(n *nemesis) { n.toClickHouse.cutAfter(n.Int64N(60_000)) }},
	{"clickhouse answer lost", 6, func(n *nemesis) { n.toClickHouse.loseAnswer() }},
	{"clickhouse connection stalled", 2, func(n *nemesis) { n.stall(n.toClickHouse) }},
	{"clickhouse out of reach", 5, func(n *nemesis) { n.outage(n.toClickHouse) }},
	{"clickhouse killed", 5, (*nemesis).killClickHouse},
	{"disk refuses to write", 7, (*nemesis).refuseDisk},
}

// next does one fault.
func (n *nemesis) next() {
	n.Helper()
	total := 0
	for _, f := range faults {
		total += f.weight
	}
	at := n.IntN(total)
	for _, f := range faults {
		if at -= f.weight; at < 0 {
			n.done[f.name]++
			f.do(n)
			return
		}
	}
}

// short is a random time of at most that many milliseconds, mostly a good deal less.
func (n *nemesis) short(most int) time.Duration {
	return time.Duration(n.IntN(1+n.IntN(most))) * time.Millisecond
}

// pause lets the world go on for a while: it paces the harm, and nothing depends on how long it takes.
func (n *nemesis) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// kill kills the worker, looks at what it left behind, and starts it again after a while.
func (n *nemesis) kill(away time.Duration) {
	n.Helper()
	n.check()
	n.worker.kill()
	n.found = append(n.found, n.durability()...)
	n.pause(away)
	n.worker.start()
}

// check notes a worker that has given up, which nothing that is done here is a reason for. One that cannot reach the
// database while it starts may leave it to its supervisor to start it again, and so it is.
func (n *nemesis) check() {
	n.Helper()
	if !n.worker.gone() {
		return
	}
	if n.worker.streamed() {
		n.found = append(n.found, violation{"-", fmt.Sprintf("the worker has ended by itself: %v: %s", n.worker.err, n.worker.lastWords())})
	}
	n.Logf("gave up: %s", n.worker.lastWords())
	n.done["(worker gave up while starting)"]++
	n.worker.kill()
	n.worker.start()
}

func (n *nemesis) stall(p *proxy) {
	p.stall()
	n.pause(n.short(800))
	p.heal()
}

func (n *nemesis) outage(p *proxy) {
	p.refuse(true)
	n.pause(n.short(1500))
	p.refuse(false)
}

func (n *nemesis) restartPostgres() {
	n.Helper()
	if err := n.pg.Restart(context.Background()); err != nil {
		n.Fatal(err)
	}
}

func (n *nemesis) killClickHouse() {
	n.Helper()
	n.ch.Kill()
	n.pause(n.short(500))
	if err := n.ch.Restart(context.Background()); err != nil {
		n.Fatal(err)
	}
}

// transient are answers that a broker gives while it is starting, moving partitions, or busy.
var transient = []int16{6, 7, 14, 15, 16, 19, 20, 51}

// kafkaErrors makes the broker answer the next requests that write with errors, before or after it has done what they ask.
func (n *nemesis) kafkaErrors() {
	var left atomic.Int64
	left.Store(1 + n.Int64N(3))
	code := transient[n.IntN(len(transient))]
	n.kafka.Control(func(request kmsg.Request) (kmsg.Response, error, bool) {
		if left.Load() <= 0 {
			n.kafka.KeepControl()
			return nil, nil, false
		}
		n.kafka.KeepControl()
		response := refusal(request, code)
		if response == nil {
			return nil, nil, false
		}
		left.Add(-1)
		return response, nil, true
	})
}

// refusal is an answer to a request with an error in each of its places.
func refusal(request kmsg.Request, code int16) kmsg.Response {
	switch r := request.(type) {
	case *kmsg.ProduceRequest:
		if code == 14 || code == 15 || code == 16 || code == 51 {
			return nil // not of partition leaders
		}
		response := r.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range r.Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				partition := kmsg.NewProduceResponseTopicPartition()
				partition.Partition, partition.ErrorCode, partition.BaseOffset = p.Partition, code, -1
				topic.Partitions = append(topic.Partitions, partition)
			}
			response.Topics = append(response.Topics, topic)
		}
		return response
	case *kmsg.InitProducerIDRequest:
		if code < 14 || code > 51 || code == 19 || code == 20 {
			return nil
		}
		response := r.ResponseKind().(*kmsg.InitProducerIDResponse)
		response.ErrorCode, response.ProducerID, response.ProducerEpoch = code, -1, -1
		return response
	case *kmsg.EndTxnRequest:
		if code < 14 || code > 51 || code == 19 || code == 20 {
			return nil
		}
		response := r.ResponseKind().(*kmsg.EndTxnResponse)
		response.ErrorCode = code
		return response
	}
	return nil
}

var errClosed = errors.New("nemesis closes the connection")

// kafkaCloses makes the broker close the connection on which the next request comes that writes.
func (n *nemesis) kafkaCloses() {
	var left atomic.Int64
	left.Store(1 + n.Int64N(2))
	n.kafka.Control(func(request kmsg.Request) (kmsg.Response, error, bool) {
		n.kafka.KeepControl()
		switch request.(type) {
		case *kmsg.ProduceRequest, *kmsg.EndTxnRequest, *kmsg.AddPartitionsToTxnRequest, *kmsg.FetchRequest:
			if left.Add(-1) >= 0 {
				return nil, errClosed, true
			}
		}
		return nil, nil, false
	})
}

// heal ends every harm that goes on.
func (n *nemesis) heal() {
	for _, p := range []*proxy{n.toPostgres, n.toKafka, n.toClickHouse} {
		p.heal()
	}
}

// freeze stops the process where it is, or lets it go on.
func (k *worker) freeze(yes bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.command == nil {
		return
	}
	s := syscall.SIGCONT
	if yes {
		s = syscall.SIGSTOP
	}
	_ = k.command.Process.Signal(s)
}

// lastWords is the last line of the worker's log.
func (k *worker) lastWords() string {
	lines := strings.Split(strings.TrimSpace(k.logText()), "\n")
	return lines[len(lines)-1]
}
