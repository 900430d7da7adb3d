-- name: server_facts
-- What the server is and how many connections it takes.
SELECT pg_catalog.current_setting('server_version_num')::integer AS version,
       pg_catalog.current_setting('max_connections')::integer
       - pg_catalog.current_setting('superuser_reserved_connections')::integer AS connections

-- name: login_facts
-- What the login of this connection may do beyond what the service needs.
SELECT current_user::text AS login, r.rolsuper AS is_superuser, r.rolbypassrls AS bypasses_row_security,
       pg_catalog.pg_has_role(current_user, a.oid, 'MEMBER') AS is_app,
       pg_catalog.pg_has_role(current_user, o.oid, 'MEMBER') AS is_owner
FROM pg_catalog.pg_roles AS r
LEFT JOIN pg_catalog.pg_roles AS a ON a.rolname = 'tidings_app'
LEFT JOIN pg_catalog.pg_roles AS o ON o.rolname = 'tidings_owner'
WHERE r.rolname = current_user

-- name: open_tables
-- The tables of the schema whose row security is not enabled and forced.
SELECT c.relname::text AS name
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'tidings' AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_version'
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
ORDER BY 1

-- name: notify
-- Sends a word to whoever listens for it.
SELECT pg_catalog.pg_notify('tidings_doctor', %(word)s)
