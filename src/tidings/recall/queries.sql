-- name: drops_after
-- Reads the tags that were dropped after a position, of every organization.
SELECT organization_id, tags, position FROM tidings.recall_drops_v1(%(after)s, %(max)s)

-- name: bounds
-- Reads after which position every drop is still here, and the last position that the relay gave.
SELECT resumable_from, last_position FROM tidings.outbox_bounds_v1()
