-- What must have been published, from the history of the tables alone. The parameters, all of the snapshot and the end,
-- are in the temporary table `run`: base_seq, the last of history.users that the snapshot saw; base_lsn and base_at, its
-- position and instant; last, the commit position up to which everything is to be judged.

-- Every transaction the worker reads, in the order of the log: Begin messages say position, commit time and transaction.
-- Commit times may step back by a little, and the clock does not.
CREATE TEMP TABLE log AS
WITH begun AS (
    SELECT ('x' || encode(substring(data FROM 2 FOR 8), 'hex'))::bit(64)::bigint AS lsn,
           ('x' || encode(substring(data FROM 10 FOR 8), 'hex'))::bit(64)::bigint AS micros,
           ('x' || encode(substring(data FROM 18 FOR 4), 'hex'))::bit(32)::bigint & 4294967295 AS xid
      FROM pg_logical_slot_peek_binary_changes('oracle', NULL, NULL, 'proto_version', '1', 'publication_names', 'muster', 'messages', 'true')
     WHERE get_byte(data, 0) = ascii('B')
)
SELECT lsn, xid, greatest(base_at, max(timestamptz '2000-01-01 00:00:00+00' + micros * interval '1 microsecond') OVER (ORDER BY lsn)) AS now
  FROM begun, run
 WHERE lsn <= last;
CREATE INDEX ON log (xid);
CREATE INDEX ON log (now, lsn);

CREATE TEMP TABLE user_change AS
SELECT h.seq, h.id, h.version, coalesce(l.lsn, 0) AS lsn
  FROM run, history.users AS h LEFT JOIN log AS l USING (xid)
 WHERE h.seq <= run.base_seq OR l.lsn IS NOT NULL;
CREATE INDEX ON user_change (id, lsn, seq);

CREATE TEMP TABLE member_change AS
SELECT h.seq, h.audience, h.id, h.tenant, h.recorded, l.lsn FROM history.members AS h JOIN log AS l USING (xid);
CREATE INDEX ON member_change (audience, id, tenant, lsn, seq);

-- Which version of each audience is in force from which commit on; those of the start come first.
CREATE TEMP TABLE in_force AS
SELECT audience, 0::bigint AS lsn, 1 AS version, sha, false AS archived FROM (VALUES /*at first*/) AS first (audience, sha)
UNION ALL
SELECT d.audience, l.lsn, d.version, d.sha, d.archived FROM history.definitions AS d JOIN log AS l USING (xid);
CREATE INDEX ON in_force (audience, lsn);

-- Each transaction that concerns a user, with the row it left behind. A definition concerns everybody. Until when that row was the one to look at: the last
-- instant before the next such transaction, or, if the clock stood still there, the instant of both.
CREATE TEMP TABLE step AS
WITH touched AS (
    SELECT id, lsn, bool_or(of_row) AS of_row, bool_or(defined) AS defined
      FROM (SELECT id, lsn, true AS of_row, false AS defined FROM user_change
            UNION ALL SELECT id, lsn, false, false FROM member_change
            UNION ALL SELECT u.id, f.lsn, false, true FROM (SELECT DISTINCT id FROM user_change) AS u, in_force AS f WHERE f.lsn > 0) AS t
     GROUP BY id, lsn
), placed AS (
    SELECT t.*, coalesce(l.now, run.base_at) AS now, l.before
      FROM touched AS t CROSS JOIN run
      LEFT JOIN (SELECT lsn, now, lag(now) OVER (ORDER BY lsn) AS before FROM log) AS l USING (lsn)
), rows AS (
    SELECT p.*, (SELECT c.version FROM user_change AS c WHERE c.id = p.id AND c.lsn <= p.lsn ORDER BY c.lsn DESC, c.seq DESC LIMIT 1) AS u
      FROM placed AS p
)
SELECT id, lsn, now, of_row, defined, u, (u).id IS NOT NULL AS present,
       coalesce(greatest(lead(now) OVER w - interval '1 microsecond', lead(before) OVER w), (SELECT max(now) FROM log)) AS until
  FROM rows
WINDOW w AS (PARTITION BY id ORDER BY lsn);

-- Each moment at which a user's memberships can change: a step, or an instant at which time alone may turn a condition. After
-- a definition that may be noticed late, when the backfill comes to the user: at its true instant, with a later position.
CREATE TEMP TABLE moment AS
SELECT row_number() OVER (ORDER BY id, lsn, at) AS n, *
  FROM (
    SELECT id, lsn, now AS at, CASE WHEN lsn = 0 THEN 'snapshot' WHEN defined THEN 'definition' WHEN of_row THEN 'row' ELSE 'members' END AS kind, u, present,
           CASE WHEN lsn = 0 THEN base_lsn ELSE lsn END AS position, false AS owed
      FROM step, run
    UNION ALL
    SELECT DISTINCT s.id, s.lsn, f.at, 'time', s.u, true, (SELECT min(l.lsn) FROM log AS l WHERE l.now >= f.at AND l.lsn > s.lsn), s.defined
      FROM step AS s CROSS JOIN LATERAL unnest(ARRAY[/*flips*/]::timestamptz[]) AS f(at)
     WHERE s.present AND f.at > s.now AND f.at <= s.until
  ) AS all_moments;
CREATE UNIQUE INDEX ON moment (n);
CREATE INDEX ON moment (id, n);

-- The verdict on each audience at each moment, and what its own conditions say.
CREATE TEMP TABLE verdict (audience text, level int, once boolean, tenant text, n bigint, inside boolean, own boolean[], fresh boolean);
CREATE INDEX ON verdict (n, audience, tenant);
INSERT INTO verdict
SELECT k.audience, 0, false, k.tenant, m.n, m.present AND coalesce(r.recorded, false), NULL,
       NOT coalesce((SELECT c.recorded FROM member_change AS c
         WHERE c.audience = k.audience AND c.id = k.id AND c.tenant = k.tenant AND c.lsn < m.lsn ORDER BY c.lsn DESC, c.seq DESC LIMIT 1), false)
  FROM (SELECT DISTINCT audience, id, tenant FROM member_change) AS k
  JOIN moment AS m USING (id)
  LEFT JOIN LATERAL (SELECT c.recorded FROM member_change AS c
         WHERE c.audience = k.audience AND c.id = k.id AND c.tenant = k.tenant AND c.lsn <= m.lsn ORDER BY c.lsn DESC, c.seq DESC LIMIT 1) AS r ON true;
/*verdicts*/

CREATE TEMP TABLE expected AS
WITH turned AS (
    SELECT v.*, m.id, m.at, m.kind, m.present, m.position, m.owed, m.lsn, coalesce(lag(v.inside) OVER w, false) AS was,
           coalesce(lag(m.present) OVER w, false) AS was_present,
           CASE WHEN m.present THEN v.own ELSE array_fill(false, ARRAY[coalesce(cardinality(v.own), 0)]) END AS own_after,
           CASE WHEN lag(m.present) OVER w THEN lag(v.own) OVER w ELSE array_fill(false, ARRAY[coalesce(cardinality(v.own), 0)]) END AS own_before
      FROM verdict AS v JOIN moment AS m USING (n)
    WINDOW w AS (PARTITION BY v.audience, m.id, v.tenant ORDER BY n)
), caused AS (
    SELECT *, CASE
        WHEN kind IN ('snapshot', 'definition') THEN kind
        WHEN NOT present THEN 'delete'
        WHEN own IS NULL AND inside AND NOT was_present AND NOT fresh THEN 'identified'
        WHEN own IS NULL THEN 'static'
        WHEN own_before = own_after THEN 'reference'
        WHEN kind = 'row' THEN 'change'
        ELSE 'timer'
        END AS cause
      FROM turned WHERE inside <> was
), counted AS (
    SELECT *, count(*) FILTER (WHERE inside) OVER w AS entry_count,
           inside AND cause IN ('change', 'timer', 'static', 'reference') AS would_trigger
      FROM caused
    WINDOW w AS (PARTITION BY audience, id, tenant ORDER BY n)
)
SELECT n, level, audience, (SELECT f.version FROM in_force AS f WHERE f.audience = counted.audience AND f.lsn <= counted.lsn ORDER BY f.lsn DESC LIMIT 1) AS version,
       id AS user_id, tenant, inside, at AS occurred_at, cause, position, owed, entry_count,
       max(at) FILTER (WHERE inside) OVER (PARTITION BY audience, id, tenant, entry_count) AS entered_at,
       would_trigger AND NOT (once AND coalesce(bool_or(would_trigger) OVER (
           PARTITION BY audience, id ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false)) AS trigger
  FROM counted;
