//go:build realkafka

package kafka

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// The broker under test is Apache Kafka itself, fetched once by Maven into the user's cache. It needs Java 17 and Maven:
//
//	go test -tags realkafka -run Real ./sinks/kafka
//
// MUSTER_KAFKA_VERSION chooses another version.
const kafkaVersion = "4.3.1"

const kafkaPOM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>muster</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>%[1]s</version></dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>%[1]s</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-api</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version>
    </dependency>
  </dependencies>
</project>
`

const serverProperties = `process.roles=broker,controller
node.id=%[5]d
controller.quorum.voters=%[6]s
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=%[3]s/data
auto.create.topics.enable=false
default.replication.factor=%[7]d
min.insync.replicas=%[8]d
offsets.topic.replication.factor=%[7]d
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=%[7]d
transaction.state.log.min.isr=%[8]d
transaction.state.log.num.partitions=1
transactional.id.expiration.ms=3000
transaction.remove.expired.transaction.cleanup.interval.ms=500
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
%[4]s`

// authorizer lets tests deny things. Voters of a quorum would need names of their own with it.
const authorizer = `authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true`

var libraries = sync.OnceValues(fetchKafka)

// fetchKafka returns the folder of Kafka's jars.
func fetchKafka() (string, error) {
	version := kafkaVersion
	if v := os.Getenv("MUSTER_KAFKA_VERSION"); v != "" {
		version = v
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "muster", "kafka-"+version)
	libs := filepath.Join(home, "libs")
	if _, err := os.Stat(filepath.Join(home, "complete")); err == nil {
		return libs, nil
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(home, "pom.xml"), fmt.Appendf(nil, kafkaPOM, version), 0o644); err != nil {
		return "", err
	}
	maven := exec.Command("mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=libs")
	maven.Dir = home
	if out, err := maven.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch Kafka %s with Maven: %w\n%s", version, err, out)
	}
	return libs, os.WriteFile(filepath.Join(home, "complete"), nil, 0o644)
}

// realBroker is one Apache Kafka in KRaft mode on loopback.
type realBroker struct {
	tb      testing.TB
	dir     string
	libs    string
	address string
	cluster int // how many brokers there are
	command *exec.Cmd
}

// startReal starts a broker that ends with the test. settings are added to server.properties.
func startReal(tb testing.TB, settings ...string) *realBroker {
	tb.Helper()
	return startRealCluster(tb, 1, settings...)[0]
}

// startRealCluster starts n brokers, each a controller too. With three, a write needs two.
func startRealCluster(tb testing.TB, n int, settings ...string) []*realBroker {
	tb.Helper()
	libs, err := libraries()
	if err != nil {
		tb.Fatal(err)
	}
	brokers, ports, voters := make([]*realBroker, n), make([]int, n), make([]string, n)
	for i := range n {
		ports[i] = freePort(tb)
		voters[i] = fmt.Sprintf("%d@127.0.0.1:%d", i+1, ports[i])
	}
	for i := range n {
		b := &realBroker{tb: tb, dir: tb.TempDir(), libs: libs, cluster: n}
		port := freePort(tb)
		b.address = fmt.Sprintf("127.0.0.1:%d", port)
		properties := fmt.Sprintf(serverProperties, port, ports[i], b.dir, strings.Join(settings, "\n"), i+1,
			strings.Join(voters, ","), n, n/2+1)
		if err := os.WriteFile(b.properties(), []byte(properties), 0o644); err != nil {
			tb.Fatal(err)
		}
		format := b.java("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", b.properties())
		if out, err := format.CombinedOutput(); err != nil {
			tb.Fatalf("format: %v\n%s", err, out)
		}
		brokers[i] = b
	}
	for _, b := range brokers {
		b.launch()
		tb.Cleanup(b.kill)
	}
	for _, b := range brokers {
		b.await()
	}
	return brokers
}

func (b *realBroker) properties() string { return filepath.Join(b.dir, "server.properties") }

func (b *realBroker) java(arguments ...string) *exec.Cmd {
	heap := []string{"-Xms256m", "-Xmx512m", "-cp", filepath.Join(b.libs, "*")}
	command := exec.Command("java", append(heap, arguments...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // nothing outlives the test
	return command
}

// start starts the broker again and waits until it serves.
func (b *realBroker) start() {
	b.tb.Helper()
	b.launch()
	b.await()
}

func (b *realBroker) launch() {
	b.tb.Helper()
	log, err := os.OpenFile(b.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		b.tb.Fatal(err)
	}
	defer log.Close()
	b.command = b.java("kafka.Kafka", b.properties())
	b.command.Stdout, b.command.Stderr = log, log
	if err := b.command.Start(); err != nil {
		b.tb.Fatal(err)
	}
}

func (b *realBroker) log() string { return filepath.Join(b.dir, "broker.log") }

// await waits until the broker knows the whole cluster.
func (b *realBroker) await() {
	b.tb.Helper()
	transport := &kafkago.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafkago.Client{Addr: kafkago.TCP(b.address), Timeout: time.Second, Transport: transport}
	ctx := testContext(b.tb)
	for {
		answer, err := client.Metadata(ctx, &kafkago.MetadataRequest{})
		if err == nil && len(answer.Brokers) == b.cluster {
			return
		}
		transport.CloseIdleConnections()
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			out, _ := os.ReadFile(b.log())
			b.tb.Fatalf("the broker does not serve: %v\n%s", err, out)
		}
	}
}

// kill ends the broker as a crash would.
func (b *realBroker) kill() {
	b.command.Process.Kill()
	b.command.Wait()
}

// tool runs one of Kafka's own command line tools and returns its output.
func (b *realBroker) tool(tb testing.TB, class string, arguments ...string) string {
	tb.Helper()
	out, err := b.java(append([]string{class}, arguments...)...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %v: %v\n%s", class, arguments, err, out)
	}
	return string(out)
}

func freePort(tb testing.TB) int {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
