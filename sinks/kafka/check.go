package kafka

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// The statuses of a CheckResult.
const (
	StatusOK    = "ok"
	StatusWarns = "warns"
	StatusFails = "fails"
)

// CheckResult is one prerequisite and how it stands. Repair is empty when there is nothing to do.
type CheckResult struct{ Name, Status, Detail, Repair string }

const checkTimeout = 20 * time.Second

// Check looks at everything Recover and Deliver depend on and changes nothing that a running worker would notice. Of a
// topic that is absent it only asks whether it could be created. The transactional id is tried with a producer id that no
// broker gives out: the coordinator checks the permission first and then refuses the stranger (90), so the worker that
// holds the id is not fenced. An id that nobody has used becomes known to the coordinator by that.
func (p *Producer) Check(ctx context.Context) []CheckResult {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	c := checker{p: p}
	if c.reach(ctx) {
		c.transactionalID(ctx)
		if found, ok := c.findTopic(ctx); ok {
			configs := p.topicConfigs(ctx)
			c.partitions(found)
			c.replication(found, configs)
			c.permissions(found)
			c.configuration(configs)
		}
	}
	return c.results
}

type checker struct {
	p       *Producer
	results []CheckResult
}

func (c *checker) add(name, status, repair, format string, args ...any) {
	c.results = append(c.results, CheckResult{
		Name: "kafka " + name, Status: status, Detail: fmt.Sprintf(format, args...), Repair: repair,
	})
}

// fail adds a failed check, with the repair of the terminal error that err means, if it means one.
func (c *checker) fail(name, repair string, err error) {
	if fatal, ok := c.p.terminal(name, err).(interface{ Repair() string }); ok {
		repair = fatal.Repair()
	}
	c.add(name, StatusFails, repair, "%v", err)
}

func (c *checker) reach(ctx context.Context) bool {
	var away []string
	for _, address := range c.p.o.Brokers {
		dialCtx, cancel := context.WithTimeout(ctx, 3*time.Second)
		conn, err := c.p.cluster.dialer.dial(dialCtx, "tcp", address)
		cancel()
		if err != nil {
			away = append(away, err.Error())
			continue
		}
		conn.Close()
	}
	const repair = "start the brokers, or correct kafka.brokers"
	if len(away) == len(c.p.o.Brokers) {
		c.add("brokers", StatusFails, repair, "none can be reached: %s", strings.Join(away, "; "))
		return false
	}
	found, err := c.p.look(ctx)
	switch {
	case err != nil:
		c.fail("brokers", "check kafka.tls and kafka.sasl, and advertised.listeners of the brokers", err)
		return false
	case len(away) > 0:
		c.add("brokers", StatusWarns, repair, "%d of %d cannot be reached: %s", len(away), len(c.p.o.Brokers), strings.Join(away, "; "))
	case found.id == "" && found.err == 0:
		c.add("brokers", StatusWarns, "upgrade to Kafka 2.8 or later",
			"they know no topic ids, so a topic that is deleted and created again may not be noticed")
	default:
		c.add("brokers", StatusOK, "", "%d in the cluster", found.brokers)
	}
	return true
}

func (c *checker) transactionalID(ctx context.Context) {
	const name = "transactional id"
	id := c.p.o.TransactionalID
	if !c.p.o.transactional() {
		c.add(name, StatusWarns, "set kafka.transactional_id", "off: delivery is at least once, with stable ids")
		return
	}
	err := c.p.coordinate(ctx, func(ctx context.Context) error {
		answer, err := c.p.cluster.client.InitProducerID(ctx, &kafkago.InitProducerIDRequest{
			TransactionalID:      id,
			TransactionTimeoutMs: int(transactionTimeout.Milliseconds()),
			ProducerID:           math.MaxInt64,
		})
		if err != nil {
			return err
		}
		return answer.Error
	})
	switch codeOf(err) {
	case kafkago.ProducerFenced, kafkago.InvalidProducerEpoch, kafkago.InvalidProducerIDMapping:
		err = nil
	}
	if err != nil {
		c.fail(name, "look at the brokers' log: the transaction coordinator does not answer", err)
		return
	}
	c.add(name, StatusOK, "", "%q may be used", id)
}

func (c *checker) findTopic(ctx context.Context) (view, bool) {
	const name = "topic"
	p := c.p
	found, err := p.look(ctx)
	switch {
	case err != nil:
		c.fail(name, "", err)
		return found, false
	case found.err == kafkago.UnknownTopicOrPartition:
		c.absentTopic(ctx)
		return found, false
	case found.err != 0:
		c.fail(name, "", found.err)
		return found, false
	}
	if err := p.compare(found); err != nil {
		c.fail(name, err.(interface{ Repair() string }).Repair(), err)
		return found, false
	}
	c.add(name, StatusOK, "", "%q exists, id %s", p.o.Topic, found.id)
	return found, true
}

func (c *checker) absentTopic(ctx context.Context) {
	const name = "topic"
	p, recorded := c.p, c.p.State()
	missing := &TopicMissingError{Topic: p.o.Topic, Recorded: recorded.ID, Known: recorded != TopicState{}}
	if missing.Known || !p.o.CreateTopic {
		c.fail(name, missing.Repair(), missing)
		return
	}
	if err := p.requestTopic(ctx, true); err != nil {
		c.fail(name, missing.Repair(), fmt.Errorf("%q is absent and could not be created: %w", p.o.Topic, err))
		return
	}
	c.add(name, StatusOK, "", "%q is absent, the worker will create it", p.o.Topic)
}

func (c *checker) partitions(found view) {
	const name = "partitions"
	var leaderless []string
	for _, partition := range found.partitions {
		if partition.leader < 0 {
			leaderless = append(leaderless, strconv.Itoa(int(partition.number)))
		}
	}
	count := len(found.partitions)
	switch recorded := c.p.State().Partitions; {
	case len(leaderless) > 0:
		c.add(name, StatusFails, "bring back the brokers that hold them", "%d of %d have no leader: %s", len(leaderless), count,
			strings.Join(leaderless, ", "))
	case recorded > 0 && count > recorded:
		c.add(name, StatusOK, "", "%d, grown from %d: the worker changes over by itself", count, recorded)
	default:
		c.add(name, StatusOK, "", "%d", count)
	}
}

func (c *checker) replication(found view, configs map[string]string) {
	const name = "replication"
	replicas, inSync := math.MaxInt, math.MaxInt
	for _, partition := range found.partitions {
		replicas, inSync = min(replicas, partition.replicas), min(inSync, partition.inSync)
	}
	least, _ := strconv.Atoi(configs["min.insync.replicas"])
	switch {
	case inSync < least:
		c.add(name, StatusFails, "bring back the missing brokers: writes are refused until then",
			"a partition has %d replicas in sync, min.insync.replicas is %d", inSync, least)
	case replicas == 1 && found.brokers > 1:
		c.add(name, StatusWarns, "raise the topic's replication factor: kafka-reassign-partitions.sh",
			"one replica: the loss of one broker's disk loses events")
	case replicas > 1 && least == 1:
		c.add(name, StatusWarns, "kafka-configs.sh --alter --entity-type topics --entity-name "+c.p.o.Topic+
			" --add-config min.insync.replicas=2",
			"%d replicas, but min.insync.replicas is 1: an event is acknowledged by one broker alone when the others lag", replicas)
	default:
		c.add(name, StatusOK, "", "%d replicas, %d in sync, min.insync.replicas %d", replicas, inSync, least)
	}
}

// permissions reads the operations that the brokers say this client may do with the topic.
func (c *checker) permissions(found view) {
	const name = "permissions"
	if found.operations == noOperations {
		c.add(name, StatusWarns, "", "the brokers do not tell them: Read, Write and Describe are needed on topic %q", c.p.o.Topic)
		return
	}
	var missing []string
	for _, operation := range []struct {
		name string
		bit  int
	}{{"Read", 3}, {"Write", 4}, {"Describe", 8}} {
		if found.operations&(1<<operation.bit) == 0 {
			missing = append(missing, operation.name)
		}
	}
	if len(missing) > 0 {
		denied := &DeniedError{Resource: c.p.resource(kafkago.TopicAuthorizationFailed)}
		c.add(name, StatusFails, denied.Repair(), "not allowed on topic %q: %s", c.p.o.Topic, strings.Join(missing, ", "))
		return
	}
	c.add(name, StatusOK, "", "Read, Write and Describe on topic %q", c.p.o.Topic)
}

func (c *checker) configuration(configs map[string]string) {
	alter := func(setting string) string {
		return fmt.Sprintf("kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config %s", c.p.o.Topic, setting)
	}
	if configs == nil {
		c.add("configuration", StatusWarns, "", "cannot be read: DescribeConfigs on topic %q would let this check, and the worker, know "+
			"its limits", c.p.o.Topic)
		return
	}
	if strings.Contains(configs["cleanup.policy"], "compact") {
		c.add("configuration", StatusWarns, alter("cleanup.policy=delete"),
			"cleanup.policy is %s: compaction keeps only the last event of each user", configs["cleanup.policy"])
	} else {
		c.add("configuration", StatusOK, "", "cleanup.policy %s, retention.ms %s", configs["cleanup.policy"], configs["retention.ms"])
	}
	if limit, err := strconv.Atoi(configs["max.message.bytes"]); err == nil && limit < c.p.o.MaxBatchBytes {
		c.add("message size", StatusWarns, alter("max.message.bytes="+strconv.Itoa(roomFor(c.p.o.MaxBatchBytes))),
			"max.message.bytes is %d: an event with large properties may not fit, which stops the sink", limit)
	} else if err == nil {
		c.add("message size", StatusOK, "", "max.message.bytes is %d", limit)
	}
}
