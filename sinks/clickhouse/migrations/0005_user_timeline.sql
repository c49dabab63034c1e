-- All that happened to a user, each event once. ORDER BY sequence is the order in which it happened.
CREATE VIEW IF NOT EXISTS {{.Database}}.user_timeline{{.OnCluster}} AS
SELECT
    environment, user_id, sequence, occurred_at, audience, tenant, type, cause, trigger, audience_version, entry_count, entered_at,
    if(type = 'audience.exited', dateDiff('microsecond', entered_at, occurred_at) / 1e6, NULL) AS seconds_inside,
    recorded_at, lsn, lsn_index, id, user
FROM {{.Database}}.membership_events FINAL;
