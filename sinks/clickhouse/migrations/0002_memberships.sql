-- The state: the last event of every membership there ever was. Written by the worker beside the history, it makes
-- the members of today a short scan, and keeps them right when the TTL of the history has taken their entries away.
CREATE TABLE IF NOT EXISTS {{.Database}}.memberships{{.OnCluster}}
(
    sequence         UInt64                                                                     CODEC(T64, ZSTD(1)),
    environment      LowCardinality(String),
    audience         LowCardinality(String),
    audience_version UInt32                                                                     CODEC(T64, ZSTD(1)),
    user_id          String                                                                     CODEC(ZSTD(1)),
    tenant           String                                                                     CODEC(ZSTD(1)),
    type             LowCardinality(String)  COMMENT 'audience.entered: a member; audience.exited: no longer',
    cause            LowCardinality(String),
    occurred_at      DateTime64(6, 'UTC')                                                       CODEC(DoubleDelta, ZSTD(1)),
    entered_at       DateTime64(6, 'UTC')                                                       CODEC(DoubleDelta, ZSTD(1)),
    entry_count      UInt64                                                                     CODEC(T64, ZSTD(1)),
    user             String                                                                     CODEC(ZSTD(3)),

    INDEX by_user user_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{.Engine "ReplacingMergeTree"}}(sequence)
ORDER BY (environment, audience, user_id, tenant)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
