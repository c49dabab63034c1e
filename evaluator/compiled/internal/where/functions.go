package where

// Functions makes what clauses call. Those that begin with json are the views of a value in a document, NULL when it is of another
// kind; json_step is a step that may be a key or an index. The other two read text: NULL when it is not of the form, where a
// cast would fail, and else what Postgres makes of it. They are not of the kind that is inlined, so that nothing is cast before it was
// looked at.
const Functions = `
CREATE FUNCTION json_null(j jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE
	RETURN j IS NULL OR jsonb_typeof(j) = 'null';
CREATE FUNCTION json_boolean(j jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN jsonb_typeof(j) = 'boolean' THEN j::boolean END;
CREATE FUNCTION json_number(j jsonb) RETURNS numeric LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN jsonb_typeof(j) = 'number' THEN j::numeric END;
CREATE FUNCTION json_text(j jsonb) RETURNS text LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN jsonb_typeof(j) = 'string' THEN j #>> '{}' END;
CREATE FUNCTION json_list(j jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN jsonb_typeof(j) = 'array' THEN j END;
CREATE FUNCTION json_object(j jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN jsonb_typeof(j) = 'object' THEN j END;
CREATE FUNCTION json_step(j jsonb, key text, index int) RETURNS jsonb LANGUAGE sql IMMUTABLE
	RETURN CASE jsonb_typeof(j) WHEN 'object' THEN j -> key WHEN 'array' THEN j -> index END;

CREATE FUNCTION numeric_string(s text) RETURNS numeric LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
	exponent text := substring(s from '[eE]([+-]?[0-9]+)$');
BEGIN
	IF s !~ '^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$' OR length(s) > 400 THEN
		RETURN NULL;
	END IF;
	IF abs(exponent::numeric) > 999 THEN
		RETURN NULL;
	END IF;
	RETURN s::numeric;
END $$;

CREATE FUNCTION timestamp_string(s text) RETURNS numeric LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
	p text[] := regexp_match(s, '^([0-9]{4})-([0-9]{2})-([0-9]{2})' ||
		'([Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})([.][0-9]+)?([Zz]|([+-])([0-9]{2}):([0-9]{2})))?$');
	year int := p[1];
	day date;
BEGIN
	IF p IS NULL OR p[5] > '23' OR p[6] > '59' OR p[7] > '59' OR p[11] > '23' OR p[12] > '59' THEN
		RETURN NULL;
	END IF;
	day := make_date(CASE WHEN year = 0 THEN -1 ELSE year END, p[2]::int, p[3]::int); -- the year 0 is 1 BC
	IF p[4] IS NULL THEN
		RETURN extract(epoch FROM day);
	END IF;
	RETURN extract(epoch FROM day) + extract(epoch FROM (p[5] || ':' || p[6] || ':' || p[7])::interval)
		+ trunc(coalesce('0' || p[8], '0')::numeric, 6) -- finer fractions are cut
		- coalesce((p[10] || '1')::int * extract(epoch FROM (p[11] || ':' || p[12])::interval), 0);
EXCEPTION WHEN datetime_field_overflow THEN
	RETURN NULL; -- no real date
END $$;
`
