package kafka

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"muster/deploy/local/loopback"
)

// Options of a broker. The zero value is an empty broker on a free port that keeps everything in memory.
type Options struct {
	// Port to listen on; 0 is a free one.
	Port int
	// Partitions of a topic that is created without saying how many; 0 is 8.
	Partitions int
	// Dir keeps topics, offsets and producers across restarts. "" is memory.
	Dir string
	// RetentionBytes is how much of a partition is kept, give or take SegmentBytes; 0 is 64 MiB.
	RetentionBytes int64
	// SegmentBytes is the piece in which old records go; 0 is 8 MiB.
	SegmentBytes int64
}

const (
	defaultPartitions     = 8
	defaultRetentionBytes = 64 << 20
	defaultSegmentBytes   = 8 << 20
	// retentionEvery is how often old records go. At the highest rate that the local stack reaches, some 20 MB/s over all
	// partitions, less than a segment a partition comes in between.
	retentionEvery = 2 * time.Second
	portTries      = 20
)

// Broker is a running broker, a cluster of one.
type Broker struct {
	cluster *kfake.Cluster
	addr    string

	stop   sync.Once
	ending chan struct{}
	ended  sync.WaitGroup
}

// Start returns when the broker listens.
func Start(options Options) (*Broker, error) {
	cluster, err := listen(options)
	if err != nil {
		return nil, err
	}
	b := &Broker{cluster: cluster, addr: cluster.ListenAddrs()[0], ending: make(chan struct{})}
	b.ended.Go(b.retain)
	return b, nil
}

// listen tries other ports when a free one was lost to somebody in between.
func listen(options Options) (*kfake.Cluster, error) {
	for try := 1; ; try++ {
		port := options.Port
		if port == 0 {
			var err error
			if port, err = loopback.FreePort(); err != nil {
				return nil, fmt.Errorf("start the Kafka broker: %w", err)
			}
		}
		cluster, err := kfake.NewCluster(clusterOptions(options, port)...)
		if err == nil {
			return cluster, nil
		}
		if options.Port != 0 || try == portTries {
			return nil, fmt.Errorf("start the Kafka broker on %s: %w", loopback.Address(port), err)
		}
	}
}

func clusterOptions(options Options, port int) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.Ports(port),
		kfake.ClusterID("muster-local"),
		kfake.DefaultNumPartitions(orDefault(options.Partitions, defaultPartitions)),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.bytes": strconv.FormatInt(orDefault(options.RetentionBytes, defaultRetentionBytes), 10),
			"log.segment.bytes":   strconv.FormatInt(orDefault(options.SegmentBytes, defaultSegmentBytes), 10),
		}),
	}
	if options.Dir != "" {
		opts = append(opts, kfake.DataDir(options.Dir))
	}
	return opts
}

func orDefault[T int | int64](value, standard T) T {
	if value == 0 {
		return standard
	}
	return value
}

// retain applies the retention until Stop. kfake by itself does so once an hour, and only when a topic has a retention
// of its own.
func (b *Broker) retain() {
	tick := time.NewTicker(retentionEvery)
	defer tick.Stop()
	for {
		select {
		case <-b.ending:
			return
		case <-tick.C:
			b.cluster.ApplyRetention()
		}
	}
}

// Addr is the broker's host:port, to bootstrap from.
func (b *Broker) Addr() string { return b.addr }

// Cluster gives tests the means to inject faults and to look inside.
func (b *Broker) Cluster() *kfake.Cluster { return b.cluster }

// Stop closes every connection and, with Options.Dir, saves. It may be called again.
func (b *Broker) Stop() {
	b.stop.Do(func() {
		close(b.ending)
		b.ended.Wait()
		b.cluster.Close()
	})
}
