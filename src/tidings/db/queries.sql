-- name: schema_revision
-- The revision that the database is at.
SELECT version_num FROM tidings.schema_version

-- name: point_read
-- Reads nothing but a number, so that only what surrounds a statement is measured.
SELECT 1 AS one
