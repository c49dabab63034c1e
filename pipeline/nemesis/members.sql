-- Run when the worker has made its control schema, and nobody writes.
CREATE TRIGGER member_changed AFTER INSERT OR DELETE ON muster.members FOR EACH ROW EXECUTE FUNCTION history.member_changed();
CREATE TRIGGER members_emptied BEFORE TRUNCATE ON muster.members FOR EACH STATEMENT EXECUTE FUNCTION history.member_changed();

-- From here on the order of transactions is known. What is in the table now is what the worker's snapshot saw.
SELECT pg_create_logical_replication_slot('oracle', 'pgoutput');
