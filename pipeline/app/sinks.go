package app

import (
	"fmt"
	"log/slog"

	"muster/config"
	"muster/connectors/postgres"
	"muster/pipeline"
	"muster/sinks/clickhouse"
	"muster/sinks/kafka"
)

// NewSource returns the source that a configuration names.
func NewSource(c *config.Config, log *slog.Logger) (*postgres.Source, error) {
	return postgres.New(sourceOptions(c, log))
}

func sourceOptions(c *config.Config, log *slog.Logger) postgres.Options {
	pg := c.Postgres
	return postgres.Options{
		DSN: pg.DSN.Reveal(), Slot: pg.Slot, Publication: pg.Publication, Schema: pg.Schema, Create: pg.Create,
		Users:       postgres.Users{Table: pg.Users.Table, ID: pg.Users.ID, Properties: pg.Users.Properties, Columns: pg.Users.Columns},
		Environment: c.Environment, Heartbeat: pg.Heartbeat, Logger: log,
	}
}

// KafkaOptions returns the options of the Kafka sink that a configuration names.
func KafkaOptions(c *config.Config, log *slog.Logger) (kafka.Options, error) {
	k := c.Kafka
	tls, err := k.TLS.Config()
	if err != nil {
		return kafka.Options{}, fmt.Errorf("kafka.tls: %w", err)
	}
	o := kafka.Options{
		Brokers: k.Brokers, Topic: k.Topic, Environment: c.Environment, TransactionalID: k.TransactionalID,
		CreateTopic: k.CreateTopic, Partitions: k.Partitions, Replication: max(k.Replication, 0), Compression: k.Compression,
		AcceptTopic: k.AcceptTopic, TLS: tls, Logger: log,
	}
	if k.SASL.Mechanism != "" {
		o.SASL = &kafka.SASL{Mechanism: k.SASL.Mechanism, Username: k.SASL.Username, Password: k.SASL.Password.Reveal()}
	}
	return o, nil
}

// ClickHouseOptions returns the options of the ClickHouse sink that a configuration names.
func ClickHouseOptions(c *config.Config, log *slog.Logger) (clickhouse.Options, error) {
	ch := c.ClickHouse
	tls, err := ch.TLS.Config()
	if err != nil {
		return clickhouse.Options{}, fmt.Errorf("clickhouse.tls: %w", err)
	}
	return clickhouse.Options{
		Environment: c.Environment, Addr: ch.Addr, Database: ch.Database, Username: ch.Username, Password: ch.Password.Reveal(),
		Cluster: ch.Cluster, TLS: tls, TTL: ch.TTL, FlushRows: ch.Flush.Rows, FlushInterval: ch.Flush.Interval, Logger: log,
	}, nil
}

// addSinks gives the pipeline the sinks that are enabled.
func (w *Worker) addSinks() error {
	if w.config.Kafka.Enabled {
		if err := w.addKafka(); err != nil {
			return err
		}
	}
	if w.config.ClickHouse.Enabled {
		return w.addClickHouse()
	}
	return nil
}

func (w *Worker) addKafka() error {
	o, err := KafkaOptions(w.config, w.log)
	if err != nil {
		return err
	}
	topic := memo[kafka.TopicState]{w.store, "kafka topic"}
	if o.Recorded, err = topic.load(); err != nil {
		return err
	}
	o.Record = topic.save
	o.Observe = func(seen kafka.Observation) { w.metrics.Request("kafka", seen.Elapsed, seen.Kind) }
	producer, err := kafka.New(o)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	w.closers = append(w.closers, producer.Close)
	w.pipeline.AddSink(producer, pipeline.SinkOptions{MaxEvents: 20_000, MaxBytes: 8 << 20})
	return nil
}

func (w *Worker) addClickHouse() error {
	o, err := ClickHouseOptions(w.config, w.log)
	if err != nil {
		return err
	}
	o.Observe = func(seen clickhouse.Observation) { w.metrics.Request("clickhouse", seen.Elapsed, string(seen.Kind)) }
	sink, err := clickhouse.New(o)
	if err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	w.closers = append(w.closers, sink.Close)
	rows, linger := sink.BatchSize()
	announced, ready := announce(sink)
	w.tables = ready
	w.pipeline.AddSink(announced, pipeline.SinkOptions{MaxEvents: rows, MaxBytes: 64 << 20, Linger: linger, Stable: true})
	return nil
}
