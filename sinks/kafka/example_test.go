package kafka_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kfake"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/sinks/kafka"
)

func Example() {
	brokers, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		panic(err)
	}
	defer brokers.Close()

	var remembered kafka.TopicState // a worker keeps this in its state
	options := kafka.Options{
		Brokers: brokers.ListenAddrs(), Topic: "muster.membership", CreateTopic: true, Partitions: 3,
		Environment: "production", TransactionalID: "muster-production",
		Record: func(_ context.Context, s kafka.TopicState) error { remembered = s; return nil },
	}
	events := []event.Event{{
		Sequence: 1, Type: event.Entered, Environment: "production", Audience: "trial-ending", Version: 1, User: "u_42",
		OccurredAt: evaluator.Instant(0), Cause: event.CauseChange, Trigger: true, EntryCount: 1,
	}}

	ctx := context.Background()
	for range 2 { // the second is a restart that does not know that the event was published
		options.Recorded = remembered
		sink, err := kafka.New(options)
		if err != nil {
			panic(err)
		}
		if err := sink.Deliver(ctx, events); err != nil {
			panic(err)
		}
		fmt.Println(sink.LastSequence(), remembered.Partitions)
		sink.Close()
	}
	// Output:
	// 1 3
	// 1 3
}
