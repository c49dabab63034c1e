-- Who is a member now.
CREATE VIEW IF NOT EXISTS {{.Database}}.members{{.OnCluster}} AS
SELECT environment, audience, audience_version, user_id, tenant, entered_at, entry_count, cause, sequence, user
FROM {{.Database}}.memberships FINAL
WHERE type = 'audience.entered';

-- Who was a member at an instant: members_at(at = '2026-01-31 12:00:00'). An event at that very instant has happened.
-- A membership is what its first event after the instant says it was before; without such an event it is what it is now.
-- So only the events after the instant are read, and none that the TTL may have taken.
CREATE VIEW IF NOT EXISTS {{.Database}}.members_at{{.OnCluster}} AS
SELECT environment, audience, user_id, tenant, nearest.2 AS entered_at, nearest.3 AS entry_count
FROM
(
    SELECT
        environment, audience, user_id, tenant,
        countIf(later) > 0 AS changed,
        if(changed,
            argMinIf((type, entered_at, entry_count), (occurred_at, sequence), later),
            any((type, entered_at, entry_count))) AS nearest
    FROM
    (
        SELECT environment, audience, user_id, tenant, type, entered_at, entry_count, occurred_at, sequence, true AS later
        FROM {{.Database}}.membership_events
        WHERE occurred_at > {at:DateTime64(6, 'UTC')}
        UNION ALL
        SELECT environment, audience, user_id, tenant, type, entered_at, entry_count, occurred_at, sequence,
               occurred_at > {at:DateTime64(6, 'UTC')} AS later
        FROM {{.Database}}.memberships FINAL
    )
    GROUP BY environment, audience, user_id, tenant
)
WHERE nearest.1 = if(changed, 'audience.exited', 'audience.entered') AND entered_at <= {at:DateTime64(6, 'UTC')};
