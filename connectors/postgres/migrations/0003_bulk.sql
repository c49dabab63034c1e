-- Operations over many users that are worked in the background, and go on after a restart where they were.
CREATE TABLE bulk_operations (
    id           text        PRIMARY KEY,
    environment  text        NOT NULL,
    name         text        NOT NULL CHECK (name IN ('users.identify', 'users.delete')),
    status       text        NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'processing', 'completed', 'failed')),
    records      text        NOT NULL, -- JSON: users, or ids
    total        integer     NOT NULL,
    processed    integer     NOT NULL DEFAULT 0,
    succeeded    integer     NOT NULL DEFAULT 0,
    failures     text        NOT NULL DEFAULT '[]', -- JSON: [{"id", "message"}]
    inserted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at   timestamptz,
    completed_at timestamptz,
    failed_at    timestamptz
);
CREATE INDEX bulk_operations_open ON bulk_operations (environment, inserted_at) WHERE status IN ('queued', 'processing');
