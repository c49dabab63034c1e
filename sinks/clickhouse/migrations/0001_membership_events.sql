-- The history: one row an event. The sorting key is the identity of an event, so that repeated rows collapse, and it puts
-- the rows of one membership side by side. The partition is made of the event, never of the time of insertion, since rows
-- of different partitions never collapse.
CREATE TABLE IF NOT EXISTS {{.Database}}.membership_events{{.OnCluster}}
(
    id               UUID                    COMMENT 'Stable for ever for this transition'                        CODEC(NONE),
    sequence         UInt64                  COMMENT 'Without gaps within an environment'                         CODEC(T64, ZSTD(1)),
    environment      LowCardinality(String),
    audience         LowCardinality(String)  COMMENT 'Key of the audience',
    audience_version UInt32                  COMMENT 'Version of the definition that judged'                      CODEC(T64, ZSTD(1)),
    user_id          String                                                                                       CODEC(ZSTD(1)),
    tenant           String                  COMMENT 'Empty: none'                                                CODEC(ZSTD(1)),
    type             LowCardinality(String)  COMMENT 'audience.entered or audience.exited',
    cause            LowCardinality(String)  COMMENT 'change, timer, static, reference, definition, snapshot, rebuild, delete or identified',
    trigger          Bool                    COMMENT 'Whether the event should start work',
    occurred_at      DateTime64(6, 'UTC')    COMMENT 'Instant of the transition'                                  CODEC(DoubleDelta, ZSTD(1)),
    recorded_at      DateTime64(6, 'UTC')    COMMENT 'Commit time of the transaction at lsn, which made the event known' CODEC(DoubleDelta, ZSTD(1)),
    entered_at       DateTime64(6, 'UTC')    COMMENT 'Instant of the entry; an exit repeats that of its entry'    CODEC(DoubleDelta, ZSTD(1)),
    entry_count      UInt64                  COMMENT 'Which entry of the membership, from 1; an exit repeats it'  CODEC(T64, ZSTD(1)),
    lsn              UInt64                  COMMENT 'Commit position in the log of Postgres'                     CODEC(T64, ZSTD(1)),
    lsn_index        UInt32                  COMMENT 'Place within that transaction'                              CODEC(T64, ZSTD(1)),
    user             String                  COMMENT 'JSON of the properties the audience includes; empty: none'  CODEC(ZSTD(3)),

    INDEX by_user user_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_sequence sequence TYPE minmax GRANULARITY 1
)
ENGINE = {{.Engine "ReplacingMergeTree"}}
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (environment, audience, user_id, tenant, entry_count, type)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
