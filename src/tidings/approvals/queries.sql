-- name: standin_draft
-- Keeps a draft until the approvals are there.
INSERT INTO tidings.kv_store (organization_id, key, value)
VALUES (tidings.current_organization(), 'approval:' || %(id)s::uuid::text, %(draft)s::jsonb)
