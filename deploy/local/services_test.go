package local

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/jackc/pgx/v5"
	"github.com/segmentio/kafka-go"
)

// inPostgres runs a statement and returns its first value as text.
func inPostgres(t *testing.T, info Info, sql string) (text string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), info.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if err := conn.QueryRow(t.Context(), sql).Scan(&text); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func inClickHouse(t *testing.T, info Info, sql string) (text string) {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{info.ClickHouse.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if !strings.HasPrefix(sql, "SELECT") {
		err = conn.Exec(t.Context(), sql)
	} else {
		err = conn.QueryRow(t.Context(), sql).Scan(&text)
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

// topics of the broker, after making one more unless name is "".
func topics(t *testing.T, info Info, name string) []string {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	c := &kafka.Client{Addr: kafka.TCP(info.Kafka...), Transport: transport}
	if name != "" {
		_, err := c.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: name, NumPartitions: 2, ReplicationFactor: 1}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	meta, err := c.Metadata(t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, topic := range meta.Topics {
		names = append(names, topic.Name)
	}
	return names
}

func overHTTP(t *testing.T, info Info, sql string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+info.ClickHouse.HTTP+"/?query="+url.QueryEscape(sql), nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func addresses(t *testing.T, info Info) []string {
	t.Helper()
	dsn, err := url.Parse(info.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{dsn.Host, info.ClickHouse.Addr, info.ClickHouse.HTTP}, info.Kafka...)
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}
