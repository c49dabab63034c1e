package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// absentGrace is how long the topic may be unknown before that is believed: brokers that start, and those that have not
// heard of a new topic yet, say so too.
const absentGrace = 5 * time.Second

var (
	errAbsent = errors.New("the brokers do not know the topic")
	errRecord = errors.New("kafka: the topic's state was not recorded")
)

// openTopic finds the topic, or creates it, and makes sure that it is the one recorded.
func (p *Producer) openTopic(ctx context.Context) (view, error) {
	found, err := p.look(ctx)
	if err != nil {
		return found, err
	}
	if found.err == kafkago.UnknownTopicOrPartition {
		if found, err = p.absentTopic(ctx); err != nil {
			return found, err
		}
	}
	if found.err != 0 {
		return found, fmt.Errorf("topic %q: %w", p.o.Topic, found.err)
	}
	p.absent = time.Time{}
	p.lookedAt = time.Now()
	if len(found.partitions) == 0 {
		return found, fmt.Errorf("topic %q: %w", p.o.Topic, kafkago.LeaderNotAvailable)
	}
	for _, partition := range found.partitions {
		if int(partition.number) >= len(found.partitions) || partition.number < 0 {
			return found, fmt.Errorf("topic %q: %w: no partition %d", p.o.Topic, kafkago.LeaderNotAvailable, partition.number)
		}
	}
	return found, p.compare(found)
}

// absentTopic decides what becomes of a topic that is not there.
func (p *Producer) absentTopic(ctx context.Context) (view, error) {
	recorded := p.State()
	if recorded == (TopicState{}) && p.o.CreateTopic {
		if err := p.createTopic(ctx); err != nil {
			return view{}, err
		}
		return p.look(ctx)
	}
	if p.absent.IsZero() {
		p.absent = time.Now()
	}
	if time.Since(p.absent) < absentGrace {
		return view{}, fmt.Errorf("topic %q: %w", p.o.Topic, errAbsent)
	}
	return view{}, &TopicMissingError{Topic: p.o.Topic, Known: recorded != TopicState{}, Recorded: recorded.ID}
}

func (p *Producer) createTopic(ctx context.Context) error {
	err := p.requestTopic(ctx, false)
	if err != nil && !errors.Is(err, kafkago.TopicAlreadyExists) {
		return fmt.Errorf("create topic %q: %w", p.o.Topic, err)
	}
	p.cluster.reset()
	return nil
}

func (p *Producer) requestTopic(ctx context.Context, validateOnly bool) error {
	orDefault := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	answer, err := p.cluster.client.CreateTopics(ctx, &kafkago.CreateTopicsRequest{
		Topics: []kafkago.TopicConfig{{
			Topic:             p.o.Topic,
			NumPartitions:     orDefault(p.o.Partitions),
			ReplicationFactor: orDefault(p.o.Replication),
		}},
		ValidateOnly: validateOnly,
	})
	if err != nil {
		return err
	}
	return answer.Errors[p.o.Topic]
}

// compare holds the topic against what is recorded of it.
func (p *Producer) compare(found view) error {
	recorded := p.State()
	if p.another(found) {
		if p.o.AcceptTopic != found.id {
			return &TopicChangedError{Topic: p.o.Topic, Recorded: recorded.ID, Found: found.id}
		}
		return nil
	}
	if len(found.partitions) < recorded.Partitions {
		return &TopicShrunkError{Topic: p.o.Topic, Recorded: recorded.Partitions, Found: len(found.partitions)}
	}
	return nil
}

// another reports whether the topic found is not the one that is recorded.
func (p *Producer) another(found view) bool {
	recorded := p.State().ID
	return recorded != "" && found.id != "" && recorded != found.id
}

// adopt records a topic that is new, newly named, accepted in place of another, or has grown. The growth is only noted:
// Deliver records it at the first event that goes by the new count.
func (p *Producer) adopt(ctx context.Context, found view, tails []tail) error {
	recorded := p.State()
	count := len(found.partitions)
	p.growth = growth{}
	switch {
	case recorded.Partitions == 0 || p.another(found):
		return p.record(ctx, TopicState{ID: found.id, Partitions: count})
	case recorded.Partitions < count:
		p.growth = growth{partitions: count, after: p.LastSequence()}
		p.o.Logger.Info("kafka: the topic has grown", "topic", p.o.Topic, "partitions", count, "were", recorded.Partitions,
			"after", p.growth.after)
	}
	if recorded.ID == "" && found.id != "" {
		recorded.ID = found.id
		return p.record(ctx, recorded)
	}
	return nil
}

// changed reports whether the topic is no longer as the producer knows it. It is asked between events, at most every
// MetadataInterval; faults are left to the next request, which meets them too.
func (p *Producer) changed(ctx context.Context) bool {
	p.lookedAt = time.Now()
	found, err := p.look(ctx)
	if err != nil || found.err != 0 {
		return found.err == kafkago.UnknownTopicOrPartition
	}
	return len(found.partitions) != len(p.partitions) || p.another(found)
}

// askLimit returns the topic's max.message.bytes, or 0 when the brokers do not say, which DescribeConfigs is needed for.
func (p *Producer) askLimit(ctx context.Context) int {
	n, _ := strconv.Atoi(p.topicConfigs(ctx)["max.message.bytes"])
	return n
}

func (p *Producer) topicConfigs(ctx context.Context) map[string]string {
	answer, err := p.cluster.client.DescribeConfigs(ctx, &kafkago.DescribeConfigsRequest{
		Resources: []kafkago.DescribeConfigRequestResource{{
			ResourceType: kafkago.ResourceTypeTopic,
			ResourceName: p.o.Topic,
			ConfigNames:  []string{"max.message.bytes", "min.insync.replicas", "cleanup.policy", "retention.ms"},
		}},
	})
	if err != nil || len(answer.Resources) == 0 || answer.Resources[0].Error != nil {
		return nil
	}
	configs := make(map[string]string)
	for _, entry := range answer.Resources[0].ConfigEntries {
		configs[entry.ConfigName] = entry.ConfigValue
	}
	return configs
}
