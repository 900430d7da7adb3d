"""What each role may reach, as text that is committed and compared: `reach.txt`.

Asked of PostgreSQL itself (`has_…_privilege`), so that what comes by membership or PUBLIC counts.
"""
# ruff: noqa: E501 - SQL reads better in its own lines

import psycopg

REACHERS = ("tidings_app", "tidings_system", "tidings_readonly")

_TABLES = """
SELECT c.relname::text,
       coalesce((SELECT string_agg(p, ', ' ORDER BY n) FROM unnest(%(privileges)s::text[]) WITH ORDINALITY u (p, n)
                 WHERE has_table_privilege(%(role)s, c.oid, p)), ''),
       coalesce((SELECT string_agg(p || ' (' || names || ')', ', ' ORDER BY p) FROM (
            SELECT p, string_agg(a.attname::text, ', ' ORDER BY a.attnum) AS names
            FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS p, pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              AND NOT has_table_privilege(%(role)s, c.oid, p)
              AND has_column_privilege(%(role)s, c.oid, a.attnum, p) GROUP BY p) AS parts), '')
FROM pg_class c WHERE c.relnamespace = 'tidings'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY 1
"""

_SEQUENCES = """
SELECT c.relname::text, string_agg(p, ', ' ORDER BY p)
FROM pg_class c CROSS JOIN unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) AS p
WHERE c.relnamespace = 'tidings'::regnamespace AND c.relkind = 'S' AND has_sequence_privilege(%(role)s, c.oid, p)
GROUP BY 1 ORDER BY 1
"""

_FUNCTIONS = """
SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       p.prosecdef AND p.proowner = 'tidings_system'::regrole AND %(role)s <> 'tidings_system'
FROM pg_proc p WHERE p.pronamespace = 'tidings'::regnamespace AND has_function_privilege(%(role)s, p.oid, 'EXECUTE')
ORDER BY 1
"""

_PRIVILEGES = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]


def render_reach(connection: psycopg.Connection) -> str:
    """One line per role and object; a function that crosses tenants says `as tidings_system`."""
    lines = ["# What each role may reach; tidings_owner owns it all. Written by `make listings`.\n"]
    for role in REACHERS:
        lines.append(f"\n{role}\n")
        params = {"role": role, "privileges": _PRIVILEGES}
        for table, whole, columns in connection.execute(_TABLES, params):
            if whole or columns:
                lines.append(f"  table {table}: {', '.join(filter(None, (whole, columns)))}\n")
        for sequence, privileges in connection.execute(_SEQUENCES, params):
            lines.append(f"  sequence {sequence}: {privileges}\n")
        for function, as_system in connection.execute(_FUNCTIONS, params):
            lines.append(f"  function {function}{' as tidings_system' if as_system else ''}\n")
    return "".join(lines)
