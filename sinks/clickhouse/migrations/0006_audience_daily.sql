-- Entries, exits and size at the end of each UTC day, for every day from the first event kept to today. The size is reckoned
-- back from that of now, so that it does not depend on events that the TTL has taken. The day in which the TTL ends, and
-- those before it, are incomplete.
CREATE VIEW IF NOT EXISTS {{.Database}}.audience_daily{{.OnCluster}} AS
SELECT
    environment, audience, day, entered, exited,
    toInt64(entered) - toInt64(exited) AS net,
    size_now + net - sum(net) OVER (PARTITION BY environment, audience ORDER BY day DESC) AS size
FROM
(
    SELECT
        environment, audience, size_now, day,
        entered_on[day] AS entered,
        exited_on[day] AS exited
    FROM
    (
        SELECT
            environment, audience,
            sum(members) AS size_now,
            min(date) AS first,
            max(date) AS last,
            sumMap(map(date, entries)) AS entered_on,
            sumMap(map(date, exits)) AS exited_on
        FROM
        (
            SELECT environment, audience, toDate(occurred_at) AS date, toInt64(0) AS members,
                   countIf(type = 'audience.entered') AS entries, countIf(type = 'audience.exited') AS exits
            FROM {{.Database}}.membership_events FINAL
            GROUP BY environment, audience, date
            UNION ALL
            SELECT environment, audience, toDate(now('UTC')) AS date, toInt64(countIf(type = 'audience.entered')) AS members,
                   toUInt64(0) AS entries, toUInt64(0) AS exits
            FROM {{.Database}}.memberships FINAL
            GROUP BY environment, audience
        )
        GROUP BY environment, audience
    )
    ARRAY JOIN arrayMap(n -> first + n, range(toUInt64(last - first) + 1)) AS day
);
