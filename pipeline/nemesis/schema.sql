-- A users table with a column that is TOASTed, and the history of everything that is ever in it.
CREATE TABLE users (
    id         text PRIMARY KEY,
    plan       text,
    score      integer,
    ends_at    timestamptz,
    seen_at    timestamptz,
    note       text,
    properties jsonb
);
ALTER TABLE users ALTER note SET STORAGE EXTERNAL;

CREATE SCHEMA history;

-- A user, whatever else the table has for columns at the time.
CREATE TYPE history.person AS (id text, plan text, score integer, ends_at timestamptz, seen_at timestamptz, note text, properties jsonb);

-- One row for each version of a user; of a deleted one the version is null. The transaction is named as the log does it.
CREATE TABLE history.users (
    seq     bigserial PRIMARY KEY,
    xid     bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint & 4294967295,
    id      text   NOT NULL,
    version history.person
);

CREATE FUNCTION history.user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO history.users (id) SELECT id FROM users ORDER BY id;
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND NEW.id <> OLD.id THEN
        INSERT INTO history.users (id) VALUES (OLD.id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO history.users (id, version) VALUES (NEW.id, jsonb_populate_record(NULL::history.person, to_jsonb(NEW)));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER user_changed AFTER INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION history.user_changed();
CREATE TRIGGER users_emptied BEFORE TRUNCATE ON users FOR EACH STATEMENT EXECUTE FUNCTION history.user_changed();

-- The same for static members, whose table the worker makes.
CREATE TABLE history.members (
    seq      bigserial PRIMARY KEY,
    xid      bigint  NOT NULL DEFAULT pg_current_xact_id()::text::bigint & 4294967295,
    audience text    NOT NULL,
    id       text    NOT NULL,
    tenant   text    NOT NULL,
    recorded boolean NOT NULL
);

CREATE FUNCTION history.member_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE TG_OP
    WHEN 'TRUNCATE' THEN
        INSERT INTO history.members (audience, id, tenant, recorded) SELECT audience, user_id, tenant, false FROM muster.members;
    WHEN 'DELETE' THEN
        INSERT INTO history.members (audience, id, tenant, recorded) VALUES (OLD.audience, OLD.user_id, OLD.tenant, false);
    ELSE
        INSERT INTO history.members (audience, id, tenant, recorded) VALUES (NEW.audience, NEW.user_id, NEW.tenant, true);
    END CASE;
    RETURN NULL;
END $$;

-- And for definitions.
CREATE TABLE history.definitions (
    seq      bigserial PRIMARY KEY,
    xid      bigint  NOT NULL DEFAULT pg_current_xact_id()::text::bigint & 4294967295,
    audience text    NOT NULL,
    version  integer NOT NULL,
    sha      text    NOT NULL,
    archived boolean NOT NULL
);

CREATE FUNCTION history.definition_committed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history.definitions (audience, version, sha, archived) VALUES (NEW.audience, NEW.version, NEW.sha, NEW.archived);
    RETURN NULL;
END $$;
