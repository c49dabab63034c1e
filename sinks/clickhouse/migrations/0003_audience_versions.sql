-- Every version of every definition. A version never changes, so which of two repeated rows stays does not matter, but
-- for the time, where the earliest known one does.
CREATE TABLE IF NOT EXISTS {{.Database}}.audience_versions{{.OnCluster}}
(
    environment  LowCardinality(String),
    audience     LowCardinality(String),
    version      UInt32,
    sha          SimpleAggregateFunction(any, String),
    document     SimpleAggregateFunction(any, String)               COMMENT 'JSON of the definition' CODEC(ZSTD(3)),
    archived     SimpleAggregateFunction(any, Bool)                 COMMENT 'The audience ended with this version',
    committed_at SimpleAggregateFunction(min, DateTime64(6, 'UTC'))
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
ORDER BY (environment, audience, version)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS {{.Database}}.audience_definitions{{.OnCluster}} AS
SELECT environment, audience, version, sha, document, archived, committed_at
FROM {{.Database}}.audience_versions FINAL;
