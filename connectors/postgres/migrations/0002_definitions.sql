-- What the management of definitions needs beside their versions.

ALTER TABLE drafts
    ADD COLUMN type       text        NOT NULL DEFAULT 'dynamic' CHECK (type IN ('dynamic', 'static')),
    ADD COLUMN sha        text        NOT NULL DEFAULT '',
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- The commit in promoted_from that was carried here, 0 when it was committed here.
ALTER TABLE commits ADD COLUMN promoted_commit bigint NOT NULL DEFAULT 0;
CREATE INDEX commits_of_environment ON commits (environment, id);
CREATE INDEX commits_promoted ON commits (environment, audience, promoted_commit) WHERE promoted_commit > 0;

-- What was answered to requests with an Idempotency-Key, by the name of the caller's key.
CREATE TABLE replies (
    caller       text        NOT NULL,
    key          text        NOT NULL,
    digest       bytea       NOT NULL,           -- of the request
    status       integer     NOT NULL DEFAULT 0, -- 0 while it is being served
    content_type text        NOT NULL DEFAULT '',
    position     text        NOT NULL DEFAULT '',
    body         bytea       NOT NULL DEFAULT '',
    claimed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (caller, key)
);
CREATE INDEX replies_by_age ON replies (claimed_at);
