package kafka

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// stateFile stands for the pipeline's state: what Record made durable.
type stateFile struct{ states []TopicState }

func (f *stateFile) record(_ context.Context, s TopicState) error {
	f.states = append(f.states, s)
	return nil
}

func (f *stateFile) last() TopicState {
	if len(f.states) == 0 {
		return TopicState{}
	}
	return f.states[len(f.states)-1]
}

func grow(tb testing.TB, cluster *kfake.Cluster, p *Producer, partitions int) {
	tb.Helper()
	request := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = testTopic, int32(partitions)
	request.Topics = append(request.Topics, topic)
	request.TimeoutMillis = 5000
	client := newAdmin(tb, cluster.ListenAddrs())
	answer, err := request.RequestWith(testContext(tb), client)
	if err != nil {
		tb.Fatal(err)
	}
	if err := kerr.ErrorForCode(answer.Topics[0].ErrorCode); err != nil {
		tb.Fatal(err)
	}
}

func TestTopicIsCreatedAndRecorded(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	var file stateFile
	o := testOptions(cluster.ListenAddrs())
	o.Record = file.record
	p := newProducer(t, o)
	if err := p.Recover(testContext(t)); err != nil {
		t.Fatal(err)
	}
	id := cluster.TopicInfo(testTopic).TopicID
	want := TopicState{ID: topicID(id[:]), Partitions: 4}
	if len(file.states) != 1 || file.last() != want || p.State() != want {
		t.Errorf("recorded %+v, state %+v, want %+v", file.states, p.State(), want)
	}
}

func TestStateThatIsNotRecordedStops(t *testing.T) {
	t.Parallel()
	fault := errors.New("disk full")
	o := testOptions(startBrokers(t).ListenAddrs())
	o.Record = func(context.Context, TopicState) error { return fault }
	p := newProducer(t, o)
	if err := p.Deliver(testContext(t), makeEvents(1, 10)); !errors.Is(err, fault) {
		t.Fatalf("got %v", err)
	}
	if log := readLog(t, p); len(log) != 0 {
		t.Errorf("%d events were written under a state that is not durable", len(log))
	}
}

func TestTopicGrowsWhileRunning(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	var file stateFile
	o := testOptions(cluster.ListenAddrs())
	o.Record, o.MetadataInterval = file.record, time.Nanosecond
	p := newProducer(t, o)
	events := makeEvents(1, 300)
	deliver(t, p, events[:100])
	grow(t, cluster, p, 9)
	deliver(t, p, events[100:])
	id := p.State().ID
	if want := (TopicState{ID: id, Partitions: 9, Since: 101}); file.last() != want {
		t.Errorf("recorded %+v, want %+v", file.last(), want)
	}
	log := readLog(t, p)
	checkLog(t, log, events)
	checkPlacement(t, log, func(sequence uint64) int {
		if sequence < 101 {
			return 4
		}
		return 9
	})
}

// TestTopicGrowsWhileDown starts a worker whose cursor lies before what was published, on a topic that has grown since:
// what may have been written under the old count is finished under it.
func TestTopicGrowsWhileDown(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	var file stateFile
	o := testOptions(cluster.ListenAddrs())
	o.Record = file.record
	first := newProducer(t, o)
	events := makeEvents(1, 300)
	deliver(t, first, events[:100])
	first.Close()
	grow(t, cluster, first, 9)

	o.Recorded = file.last()
	second := newProducer(t, o)
	deliver(t, second, events[40:70]) // all of it was written before
	if got := second.State().Partitions; got != 4 {
		t.Errorf("%d partitions count before what went before is done", got)
	}
	deliver(t, second, events[70:101]) // one event goes by the new count
	if want := (TopicState{ID: first.State().ID, Partitions: 9, Since: 101}); file.last() != want {
		t.Errorf("recorded %+v, want %+v", file.last(), want)
	}
	second.Close()

	// A crash after that: the cursor is from before the growth, and the new count is recorded.
	o.Recorded = file.last()
	third := newProducer(t, o)
	deliver(t, third, events[60:])
	log := readLog(t, third)
	checkLog(t, log, events)
	checkPlacement(t, log, func(sequence uint64) int {
		if sequence < 101 {
			return 4
		}
		return 9
	})
}

func TestGrowthThatIsNotRecordedStops(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	fault := errors.New("disk full")
	o := testOptions(cluster.ListenAddrs())
	o.MetadataInterval = time.Nanosecond
	o.Record = func(_ context.Context, s TopicState) error {
		if s.Since > 0 {
			return fault
		}
		return nil
	}
	p := newProducer(t, o)
	deliver(t, p, makeEvents(1, 100))
	grow(t, cluster, p, 9)
	if err := p.Deliver(testContext(t), makeEvents(101, 100)); !errors.Is(err, fault) {
		t.Fatalf("got %v", err)
	}
	checkLog(t, readLog(t, p), makeEvents(1, 100))
}

// TestNewPartitionsAreFenced finds an older epoch refused in partitions that came after it.
func TestNewPartitionsAreFenced(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	o := testOptions(cluster.ListenAddrs())
	o.MetadataInterval = time.Nanosecond
	p := newProducer(t, o)
	deliver(t, p, makeEvents(1, 10))
	before := p.session
	grow(t, cluster, p, 6)
	deliver(t, p, makeEvents(11, 10))
	if p.session == before {
		t.Error("the session is still the one that knew 4 partitions")
	}
	for i := range int32(6) {
		if cluster.PartitionInfo(testTopic, i).HighWatermark == 0 {
			t.Errorf("partition %d holds no marker", i)
		}
	}
}

func TestTopicRecreated(t *testing.T) {
	t.Parallel()
	recreate := func(t *testing.T, cluster *kfake.Cluster, partitions int32) string {
		t.Helper()
		if err := cluster.DeleteTopic(testTopic); err != nil {
			t.Fatal(err)
		}
		if err := cluster.CreateTopic(testTopic, partitions, nil); err != nil {
			t.Fatal(err)
		}
		id := cluster.TopicInfo(testTopic).TopicID
		return topicID(id[:])
	}
	for name, interval := range map[string]time.Duration{"seen by a look": time.Nanosecond, "seen by an offset": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startBrokers(t)
			o := testOptions(cluster.ListenAddrs())
			o.MetadataInterval = interval
			p := newProducer(t, o)
			deliver(t, p, makeEvents(1, 200))
			id := recreate(t, cluster, 4)
			e := wantError[*TopicChangedError](t, p.Deliver(testContext(t), makeEvents(201, 20)), "kafka.accept_topic: "+id)
			if e.Found != id {
				t.Errorf("found %s, want %s", e.Found, id)
			}
			wantError[*TopicChangedError](t, p.Deliver(testContext(t), makeEvents(201, 20)))
		})
	}
	t.Run("while down, and accepted", func(t *testing.T) {
		t.Parallel()
		cluster := startBrokers(t)
		o := testOptions(cluster.ListenAddrs())
		p := newProducer(t, o)
		deliver(t, p, makeEvents(1, 100))
		p.Close()
		id := recreate(t, cluster, 2)
		o.Recorded = p.State()
		wantError[*TopicChangedError](t, newProducer(t, o).Recover(testContext(t)), id)

		var file stateFile
		o.AcceptTopic, o.Record = id, file.record
		accepted := newProducer(t, o)
		events := makeEvents(90, 50) // no longer compared with the topic before
		deliver(t, accepted, events)
		checkLog(t, readLog(t, accepted), events)
		if want := (TopicState{ID: id, Partitions: 2}); file.last() != want {
			t.Errorf("recorded %+v, want %+v", file.last(), want)
		}
	})
}

func TestTopicShrunk(t *testing.T) {
	t.Parallel()
	o := testOptions(startBrokers(t, kfake.SeedTopics(4, testTopic)).ListenAddrs())
	o.Recorded = TopicState{Partitions: 12} // its id is not known, as with old brokers
	wantError[*TopicShrunkError](t, newProducer(t, o).Recover(testContext(t)), "has 4 partitions and had 12", "--partitions 12")
}

func TestTopicMissing(t *testing.T) {
	t.Parallel()
	t.Run("and not to be created", func(t *testing.T) {
		t.Parallel()
		o := testOptions(startBrokers(t).ListenAddrs())
		o.CreateTopic = false
		p := newProducer(t, o)
		p.absent = time.Now().Add(-absentGrace)
		wantError[*TopicMissingError](t, p.Recover(testContext(t)), "kafka.create_topic: true", "kafka-topics.sh --create")
	})
	t.Run("and known", func(t *testing.T) {
		t.Parallel()
		cluster := startBrokers(t)
		p := newProducer(t, testOptions(cluster.ListenAddrs()))
		deliver(t, p, makeEvents(1, 10))
		if err := cluster.DeleteTopic(testTopic); err != nil {
			t.Fatal(err)
		}
		p.absent = time.Now().Add(-absentGrace)
		wantError[*TopicMissingError](t, p.Deliver(testContext(t), makeEvents(11, 10)), p.State().ID, "is gone")
		if cluster.TopicInfo(testTopic) != nil {
			t.Error("a topic that events went to before was created again, silently")
		}
	})
}

func TestBrokersWithoutTopicIDs(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t, kfake.MaxVersions(kversion.V2_7_0()))
	o := testOptions(cluster.ListenAddrs())
	p := newProducer(t, o)
	events := makeEvents(1, 200)
	deliver(t, p, events[:100])
	if got := p.State(); got != (TopicState{Partitions: 4}) {
		t.Errorf("state is %+v", got)
	}
	o.Recorded = p.State()
	again := newProducer(t, o)
	deliver(t, again, events)
	checkLog(t, readLog(t, again), events)
}

// checkPlacement checks that every record is in the partition that Java's default partitioner gives its key.
func checkPlacement(tb testing.TB, log []record, count func(sequence uint64) int) {
	tb.Helper()
	for _, r := range log {
		if want := javaPartition(r.key, count(r.event.Sequence)); int(r.partition) != want {
			tb.Fatalf("event %d of %q is in partition %d, want %d", r.event.Sequence, r.key, r.partition, want)
		}
	}
}
