package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	client "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, options Options) *Broker {
	t.Helper()
	b, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b
}

// bounded ends well before the test binary's own limit, so that what never comes fails one test and is named.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// dial gives a client of its own, whose connections end with the test.
func dial(t *testing.T, b *Broker) *client.Client {
	t.Helper()
	transport := &client.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &client.Client{Addr: client.TCP(b.Addr()), Transport: transport}
}

func createTopic(t *testing.T, c *client.Client, topic string, partitions int) {
	t.Helper()
	res, err := c.CreateTopics(t.Context(), &client.CreateTopicsRequest{
		Topics: []client.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}},
	})
	if err := errors.Join(err, res.Errors[topic]); err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, c *client.Client, topic string, value []byte) {
	t.Helper()
	res, err := c.Produce(t.Context(), &client.ProduceRequest{
		Topic: topic, RequiredAcks: client.RequireAll,
		Records: client.NewRecordReader(client.Record{Value: client.NewBytes(value), Time: time.Now()}),
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		t.Fatal(err)
	}
}

// read returns the values of partition 0 from its start, as many as asked for.
func read(t *testing.T, b *Broker, topic string, count int) []string {
	t.Helper()
	dialer := &client.Dialer{}
	r := client.NewReader(client.ReaderConfig{Brokers: []string{b.Addr()}, Topic: topic, Dialer: dialer, MaxWait: 50 * time.Millisecond})
	defer func() { _ = r.Close() }()
	ctx := bounded(t)
	var values []string
	for range count {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, string(m.Value))
	}
	return values
}

func offsets(t *testing.T, c *client.Client, topic string) client.PartitionOffsets {
	t.Helper()
	res, err := c.ListOffsets(t.Context(), &client.ListOffsetsRequest{
		Topics: map[string][]client.OffsetRequest{topic: {client.FirstOffsetOf(0), client.LastOffsetOf(0)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return res.Topics[topic][0]
}

func TestCarriesMessages(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	c := dial(t, b)
	createTopic(t, c, "events", 1)
	produce(t, c, "events", []byte("one"))
	produce(t, c, "events", []byte("two"))
	if got := read(t, b, "events", 2); got[0] != "one" || got[1] != "two" {
		t.Errorf("read %v", got)
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		options     Options
		asked, want int
	}{
		{"as the topic says", Options{Partitions: 3}, 5, 5},
		{"as the broker says", Options{Partitions: 3}, -1, 3},
		{"by default", Options{}, -1, defaultPartitions},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, start(t, tt.options))
			createTopic(t, c, "events", tt.asked)
			meta, err := c.Metadata(t.Context(), &client.MetadataRequest{Topics: []string{"events"}})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(meta.Topics[0].Partitions); got != tt.want {
				t.Errorf("%d partitions, want %d", got, tt.want)
			}
		})
	}
}

func TestTopicsAreNotMadeByMentioningThem(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, Options{}))
	res, err := c.Transport.RoundTrip(t.Context(), c.Addr, &metadata.Request{TopicNames: []string{"nowhere"}, AllowAutoTopicCreation: true})
	if err != nil {
		t.Fatal(err)
	}
	if code := client.Error(res.(*metadata.Response).Topics[0].ErrorCode); code != client.UnknownTopicOrPartition {
		t.Errorf("asking for a topic that does not exist: %v", code)
	}
}

func TestOldRecordsGo(t *testing.T) {
	t.Parallel()
	const value, segment, retention = 32 << 10, 256 << 10, 1 << 20
	b := start(t, Options{RetentionBytes: retention, SegmentBytes: segment})
	c := dial(t, b)
	createTopic(t, c, "events", 1)
	for range 4 * retention / value {
		produce(t, c, "events", []byte(strings.Repeat("x", value)))
	}
	b.Cluster().ApplyRetention() // what the broker does by itself every two seconds
	got := offsets(t, c, "events")
	if kept := (got.LastOffset - got.FirstOffset) * value; kept > retention || kept < retention-2*value {
		t.Errorf("offsets %d to %d are kept, %d bytes of a retention of %d", got.FirstOffset, got.LastOffset, kept, retention)
	}
}

func TestRetentionAppliesByItself(t *testing.T) {
	t.Parallel()
	b := start(t, Options{RetentionBytes: 1})
	c := dial(t, b)
	createTopic(t, c, "events", 1)
	produce(t, c, "events", []byte("one"))
	ctx, tick := bounded(t), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for offsets(t, c, "events").FirstOffset == 0 {
		select {
		case <-ctx.Done():
			t.Fatal("the record stayed")
		case <-tick.C:
		}
	}
}

func TestFolderKeepsTopicsAndRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, Options{Dir: dir})
	c := dial(t, first)
	createTopic(t, c, "events", 1)
	produce(t, c, "events", []byte("kept"))
	first.Stop()
	c.Transport.(*client.Transport).CloseIdleConnections()
	second := start(t, Options{Dir: dir})
	if got := read(t, second, "events", 1); got[0] != "kept" {
		t.Errorf("read %v", got)
	}
}

func TestStopFreesThePort(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	b.Stop()
	b.Stop()
	var d net.Dialer
	if conn, err := d.DialContext(context.WithoutCancel(t.Context()), "tcp", b.Addr()); err == nil {
		_ = conn.Close()
		t.Fatal("the port still answers")
	}
	_, port, _ := net.SplitHostPort(b.Addr())
	var number int
	if _, err := fmt.Sscan(port, &number); err != nil {
		t.Fatal(err)
	}
	if again := start(t, Options{Port: number}); again.Addr() != b.Addr() {
		t.Errorf("started on %s, want %s", again.Addr(), b.Addr())
	}
}

func TestTakenPortIsAnError(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, port, _ := net.SplitHostPort(b.Addr())
	var number int
	if _, err := fmt.Sscan(port, &number); err != nil {
		t.Fatal(err)
	}
	other, err := Start(Options{Port: number})
	if err == nil {
		other.Stop()
		t.Fatal("two brokers on one port")
	}
	if !strings.Contains(err.Error(), b.Addr()) {
		t.Errorf("the error does not name the address: %v", err)
	}
}
