package nemesis

import (
	"context"
	"io"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"muster/evaluator"
	"muster/pipeline/event"
)

// record is one event as a reader of the topic meets it.
type record struct {
	event.Event
	key       string
	partition int32
	offset    int64
}

// readKafka returns everything that is in the topic, as a consumer reads it that knows nothing of transactions.
func (w *world) readKafka() []record {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers(w.toKafka.addr()), kgo.ConsumeTopics(w.topic), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadUncommitted()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		w.Fatal(err)
	}
	defer c.Close()
	ends := w.ends(ctx, c)
	var records []record
	for len(ends) > 0 {
		fetches := c.PollFetches(ctx)
		if ctx.Err() != nil {
			w.Fatalf("reading the topic: partitions %v do not come to their ends", ends)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= ends[r.Partition] {
				delete(ends, r.Partition)
			}
			if r.Attrs.IsControl() {
				return
			}
			e, err := event.ParseJSON(r.Value)
			if err != nil {
				w.Errorf("partition %d offset %d: %v: %s", r.Partition, r.Offset, err, r.Value)
				return
			}
			records = append(records, record{e, string(r.Key), r.Partition, r.Offset})
		})
	}
	return records
}

// ends returns the offset behind the last record of each partition that has any.
func (w *world) ends(ctx context.Context, c *kgo.Client) map[int32]int64 {
	w.Helper()
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID = -1
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = w.topic
	for i := range int32(4) {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = i, -1
		topic.Partitions = append(topic.Partitions, p)
	}
	request.Topics = append(request.Topics, topic)
	ends := make(map[int32]int64)
	for _, shard := range c.RequestSharded(ctx, request) {
		if shard.Err != nil {
			w.Fatalf("ask for the ends of the topic: %v", shard.Err)
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode != 0 {
					w.Fatalf("end of partition %d: error %d", p.Partition, p.ErrorCode)
				}
				if p.Offset > 0 {
					ends[p.Partition] = p.Offset
				}
			}
		}
	}
	return ends
}

// row is one event in ClickHouse.
type row struct {
	ID       string    `ch:"id"`
	Sequence uint64    `ch:"sequence"`
	Audience string    `ch:"audience"`
	Version  uint32    `ch:"audience_version"`
	User     string    `ch:"user_id"`
	Tenant   string    `ch:"tenant"`
	Type     string    `ch:"type"`
	Cause    string    `ch:"cause"`
	Trigger  bool      `ch:"trigger"`
	Occurred time.Time `ch:"occurred_at"`
	Entered  time.Time `ch:"entered_at"`
	Count    uint64    `ch:"entry_count"`
	LSN      uint64    `ch:"lsn"`
	Index    uint32    `ch:"lsn_index"`
}

// event puts a row into the form of the other reader's.
func (r *row) event(w *world) event.Event {
	kind, err := event.ParseType(r.Type)
	if err != nil {
		w.Error(err)
	}
	cause, err := event.ParseCause(r.Cause)
	if err != nil {
		w.Error(err)
	}
	return event.Event{
		Sequence: r.Sequence, Type: kind, Environment: "nemesis", Audience: r.Audience, Version: r.Version, User: r.User, Tenant: r.Tenant,
		OccurredAt: evaluator.InstantOf(r.Occurred), Cause: cause, Trigger: r.Trigger, EntryCount: r.Count,
		EnteredAt: evaluator.InstantOf(r.Entered), Position: event.Position{LSN: event.LSN(r.LSN), Index: r.Index},
	}
}

func (w *world) openClickHouse() driver.Conn {
	w.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{w.ch.Addr()}, Auth: clickhouse.Auth{Database: w.clickhouse}})
	if err != nil {
		w.Fatal(err)
	}
	return conn
}

// readClickHouse returns every event there, by the query that counts repeated rows once.
func (w *world) readClickHouse() []row {
	w.Helper()
	conn := w.openClickHouse()
	defer func() { _ = conn.Close() }()
	var rows []row
	err := conn.Select(context.Background(), &rows, `SELECT toString(id) AS id, sequence, audience, audience_version, user_id, tenant, type, cause,
       trigger, occurred_at, entered_at, entry_count, lsn, lsn_index
  FROM membership_events FINAL WHERE environment = 'nemesis' ORDER BY sequence`)
	if err != nil {
		w.Fatal(err)
	}
	return rows
}

// settle waits until both sinks have taken the last event that counts. ClickHouse is given events in order, so that there
// the last one tells; of Kafka's partitions the worker's own count does.
func (k *worker) settle() {
	k.Helper()
	conn := k.openClickHouse()
	defer func() { _ = conn.Close() }()
	if k.finished != 0 { // the last event may come before the last transaction, when the table is read again
		k.eventually("everything to be durable and acknowledged", func() bool {
			if k.gone() {
				k.Fatalf("the worker has ended: %v", k.err)
			}
			return k.acknowledged() >= k.finished
		})
	}
	k.eventually("the last event to be in ClickHouse", func() bool {
		if k.gone() {
			k.Fatalf("the worker has ended: %v", k.err)
		}
		var n uint64
		err := conn.QueryRow(context.Background(), `SELECT count() FROM membership_events WHERE user_id = 'the end' AND audience = 'pro'`).Scan(&n)
		return err == nil && n > 0
	})
	k.eventually("Kafka to have everything", func() bool { return lagOfKafka.MatchString(k.metrics()) })
}

// metrics is what the worker says of itself, "" while it says nothing.
func (k *worker) metrics() string {
	r, err := client.Get("http://" + k.api + "/metrics")
	if err != nil {
		return ""
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return ""
	}
	return string(text)
}
