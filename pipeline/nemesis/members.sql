-- Run when the worker has made its control schema, and nobody writes.
CREATE TRIGGER member_changed AFTER INSERT OR DELETE ON muster.members FOR EACH ROW EXECUTE FUNCTION history.member_changed();
CREATE TRIGGER members_emptied BEFORE TRUNCATE ON muster.members FOR EACH STATEMENT EXECUTE FUNCTION history.member_changed();
CREATE TRIGGER definition_committed AFTER INSERT ON muster.commits FOR EACH ROW EXECUTE FUNCTION history.definition_committed();
