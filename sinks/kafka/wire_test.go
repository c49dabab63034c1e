package kafka

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func metadataOf(t interface{ Helper() }) []byte {
	t.Helper()
	rack, name := "r", testTopic
	answer := kmsg.NewPtrMetadataResponse()
	answer.Version = metadataVersion
	broker := kmsg.NewMetadataResponseBroker()
	broker.NodeID, broker.Host, broker.Port, broker.Rack = 1, "localhost", 9092, &rack
	answer.Brokers = append(answer.Brokers, broker)
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic, topic.TopicID, topic.AuthorizedOperations = &name, [16]byte{1, 2, 3}, 0xdf8
	for i := range int32(3) {
		partition := kmsg.NewMetadataResponseTopicPartition()
		partition.Partition, partition.Leader = i, i-1
		partition.Replicas, partition.ISR, partition.OfflineReplicas = []int32{1, 2, 3}, []int32{1, 2}, []int32{3}
		topic.Partitions = append(topic.Partitions, partition)
	}
	answer.Topics = append(answer.Topics, topic)
	return append([]byte{0}, answer.AppendTo(nil)...)
}

func TestDecodeMetadata(t *testing.T) {
	t.Parallel()
	answer := metadataOf(t)
	v, err := decodeMetadata(answer)
	if err != nil {
		t.Fatal(err)
	}
	if v.id != "AQIDAAAAAAAAAAAAAAAAAA" || v.err != 0 || v.brokers != 1 || v.operations != 0xdf8 || len(v.partitions) != 3 {
		t.Errorf("%+v", v)
	}
	if want := (partitionView{number: 2, leader: 1, replicas: 3, inSync: 2}); v.partitions[2] != want {
		t.Errorf("got %+v, want %+v", v.partitions[2], want)
	}
	for cut := range len(answer) {
		if _, err := decodeMetadata(answer[:cut]); err == nil {
			t.Errorf("the first %d of %d bytes were taken for the whole", cut, len(answer))
		}
	}
}

func FuzzDecodeMetadata(f *testing.F) {
	f.Add(metadataOf(f))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if v, err := decodeMetadata(answer); err == nil && len(v.partitions) > len(answer) {
			t.Errorf("%d partitions in %d bytes", len(v.partitions), len(answer))
		}
	})
}

func TestExchangeRefusesWhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"another correlation id": "\x00\x00\x00\x04\x00\x00\x00\x01",
		"too short":              "\x00\x00\x00\x02\x00\x00",
		"far too long":           "\x7f\x00\x00\x00Must",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := struct {
				io.Reader
				io.Writer
			}{bytes.NewReader([]byte(answer)), io.Discard}
			if _, err := exchange(peer, 3, 10, "muster", true, nil); !errors.Is(err, errAnswer) {
				t.Errorf("got %v", err)
			}
		})
	}
}
