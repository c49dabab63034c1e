-- The control schema: what the API and the command line write and the worker reads from the log. Run with the schema
-- first on the search path.

-- Versions of audience definitions. Append-only: an INSERT is how a version takes effect, at its position in the log.
CREATE TABLE commits (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment   text        NOT NULL,
    audience      text        NOT NULL,
    version       integer     NOT NULL CHECK (version > 0),
    sha           text        NOT NULL,
    document      text        NOT NULL, -- canonical JSON
    archived      boolean     NOT NULL DEFAULT false,
    author_name   text        NOT NULL DEFAULT '',
    author_email  text        NOT NULL DEFAULT '',
    message       text        NOT NULL DEFAULT '',
    promoted_from text        NOT NULL DEFAULT '', -- environment, '' when committed here
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (environment, audience, version)
);

-- What an audience is for ever: its type never changes, not even across an archive.
CREATE TABLE audiences (
    environment text        NOT NULL,
    key         text        NOT NULL,
    type        text        NOT NULL CHECK (type IN ('dynamic', 'static')),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (environment, key)
);

-- Work in progress on a definition; at most one an audience.
CREATE TABLE drafts (
    environment  text        NOT NULL,
    audience     text        NOT NULL,
    document     text        NOT NULL,
    base_version integer     NOT NULL DEFAULT 0, -- the version it was made from, 0 for a new audience
    author_name  text        NOT NULL DEFAULT '',
    author_email text        NOT NULL DEFAULT '',
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (environment, audience)
);

-- Static members, of users that exist or not. Tenant '' is none.
CREATE TABLE members (
    environment text        NOT NULL,
    audience    text        NOT NULL,
    user_id     text        NOT NULL,
    tenant      text        NOT NULL DEFAULT '',
    added_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (environment, audience, user_id, tenant)
);
