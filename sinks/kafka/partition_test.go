package kafka

import (
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// javaPartition is franz-go's implementation of Java's default partitioner for records with a key.
func javaPartition(key string, partitions int) int {
	partitioner := kgo.StickyKeyPartitioner(nil).ForTopic(testTopic)
	return partitioner.Partition(&kgo.Record{Key: []byte(key)}, partitions)
}

// TestEveryUserHasAPartition includes the user whose id is empty: an empty key, which Java hashes, and not a missing one,
// which it spreads.
func TestEveryUserHasAPartition(t *testing.T) {
	t.Parallel()
	p := newProducer(t, testOptions(startBrokers(t).ListenAddrs()))
	events := makeEvents(1, 40)
	for i := range events {
		events[i].User = []string{"", "é", "\x00", "a b", "0"}[i%5]
		events[i].EntryCount = events[i].Sequence
	}
	deliver(t, p, events)
	log := readLog(t, p)
	checkLog(t, log, events)
	checkPlacement(t, log, func(uint64) int { return 4 })
}

// TestPartitionsAreJavas holds kafka-go's balancer against the hashes that Java's own tests name.
func TestPartitionsAreJavas(t *testing.T) {
	t.Parallel()
	const prime = 1_000_003
	for key, hash := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		numbers := make([]int, prime)
		for i := range numbers {
			numbers[i] = i
		}
		want := int(uint32(hash)&0x7fff_ffff) % prime
		if got := (kafkago.Murmur2Balancer{}).Balance(kafkago.Message{Key: []byte(key)}, numbers...); got != want {
			t.Errorf("%q goes to %d, want %d", key, got, want)
		}
		if got := javaPartition(key, prime); got != want {
			t.Errorf("franz-go puts %q to %d, want %d", key, got, want)
		}
	}
}
