-- name: schema_revision
-- The revision that the database is at.
SELECT version_num FROM tidings.schema_version
