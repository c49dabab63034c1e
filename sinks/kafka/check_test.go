package kafka

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// wantCheck finds the check of that name and compares its status and what it says.
func wantCheck(tb testing.TB, results []CheckResult, name, status, phrase string) {
	tb.Helper()
	for _, r := range results {
		if r.Name != "kafka "+name {
			continue
		}
		if r.Status != status || !strings.Contains(r.Detail+" | "+r.Repair, phrase) {
			tb.Errorf("%+v, want %s with %q", r, status, phrase)
		}
		if r.Status == StatusFails && r.Repair == "" {
			tb.Errorf("%+v names no repair", r)
		}
		return
	}
	tb.Errorf("no check %q in %+v", name, results)
}

func TestCheckOfARunningWorker(t *testing.T) {
	t.Parallel()
	o := testOptions(startBrokers(t).ListenAddrs())
	worker := newProducer(t, o)
	deliver(t, worker, makeEvents(1, 20))
	session := worker.session

	results := newProducer(t, o).Check(testContext(t))
	for _, name := range []string{"brokers", "transactional id", "topic", "partitions", "replication", "permissions",
		"configuration", "message size"} {
		wantCheck(t, results, name, StatusOK, "")
	}
	deliver(t, worker, makeEvents(21, 20))
	if worker.session != session {
		t.Error("the check fenced the worker")
	}
}

func TestCheckOfAnEmptyCluster(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	o := testOptions(cluster.ListenAddrs())
	wantCheck(t, newProducer(t, o).Check(testContext(t)), "topic", StatusOK, "will create it")
	if cluster.TopicInfo(testTopic) != nil {
		t.Error("the check created the topic")
	}
	o.CreateTopic = false
	wantCheck(t, newProducer(t, o).Check(testContext(t)), "topic", StatusFails, "kafka-topics.sh --create")
	o.Recorded = TopicState{ID: "abc", Partitions: 1}
	wantCheck(t, newProducer(t, o).Check(testContext(t)), "topic", StatusFails, "is gone")
}

func TestCheckFindsFaults(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t, kfake.NumBrokers(3))
	if err := cluster.CreateTopic(testTopic, 2, map[string]string{"cleanup.policy": "compact", "max.message.bytes": "5000"}); err != nil {
		t.Fatal(err)
	}
	o := testOptions(append(cluster.ListenAddrs(), "127.0.0.1:1"))
	o.TransactionalID = Off
	results := newProducer(t, o).Check(testContext(t))
	wantCheck(t, results, "brokers", StatusWarns, "1 of 4 cannot be reached")
	wantCheck(t, results, "transactional id", StatusWarns, "at least once")
	wantCheck(t, results, "configuration", StatusWarns, "cleanup.policy=delete")
	wantCheck(t, results, "message size", StatusWarns, "max.message.bytes=2097152")

	o.Recorded = TopicState{Partitions: 3}
	wantCheck(t, newProducer(t, o).Check(testContext(t)), "topic", StatusFails, "had 3")
	o.Recorded = TopicState{Partitions: 1}
	wantCheck(t, newProducer(t, o).Check(testContext(t)), "partitions", StatusOK, "grown from 1")
	o.Brokers = []string{"127.0.0.1:1"}
	wantCheck(t, newProducer(t, o).Check(testContext(t)), "brokers", StatusFails, "none can be reached")
}

func TestCheckOfPermissions(t *testing.T) {
	t.Parallel()
	allow := func(resource kmsg.ACLResourceType, name string, operation kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: resource, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: operation, Allow: true}
	}
	topic := func(operation kmsg.ACLOperation) kfake.ACL {
		return allow(kmsg.ACLResourceTypeTopic, testTopic, operation)
	}
	cluster := startBrokers(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(2, testTopic),
		kfake.User("PLAIN", "reader", "r", topic(kmsg.ACLOperationDescribe), topic(kmsg.ACLOperationRead)),
		kfake.User("SCRAM-SHA-256", "worker", "w", topic(kmsg.ACLOperationDescribe), topic(kmsg.ACLOperationRead),
			topic(kmsg.ACLOperationWrite), topic(kmsg.ACLOperationDescribeConfigs),
			allow(kmsg.ACLResourceTypeTransactionalId, "muster-test", kmsg.ACLOperationWrite),
			allow(kmsg.ACLResourceTypeTransactionalId, "muster-test", kmsg.ACLOperationDescribe)),
		kfake.User("SCRAM-SHA-512", "nobody", "n"))

	o := testOptions(cluster.ListenAddrs())
	o.SASL = &SASL{Mechanism: "plain", Username: "reader", Password: "r"}
	results := newProducer(t, o).Check(testContext(t))
	wantCheck(t, results, "permissions", StatusFails, "Write")
	wantCheck(t, results, "transactional id", StatusFails, "--transactional-id muster-test")
	wantCheck(t, results, "configuration", StatusWarns, "DescribeConfigs")

	o.SASL = &SASL{Mechanism: "scram-sha-512", Username: "nobody", Password: "n"}
	wantCheck(t, newProducer(t, o).Check(testContext(t)), "topic", StatusFails, "--operation Describe --topic")
	o.SASL.Password = "wrong"
	wantCheck(t, newProducer(t, o).Check(testContext(t)), "brokers", StatusFails, "kafka.sasl")
	refused := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.SASLAuthenticate}, Err: kerr.SaslAuthenticationFailed, Count: -1})
	wantError[*DeniedError](t, newProducer(t, o).Recover(testContext(t)), "check kafka.sasl")
	refused.Remove()

	o.SASL = &SASL{Mechanism: "scram-sha-256", Username: "worker", Password: "w"}
	p := newProducer(t, o)
	for _, r := range p.Check(testContext(t)) {
		if r.Status != StatusOK && r.Name != "kafka transactional id" {
			t.Errorf("%+v", r)
		}
	}
	deliver(t, p, makeEvents(1, 20))
}
