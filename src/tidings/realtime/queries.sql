-- name: publish
-- Adds an event of the current organization to this transaction.
INSERT INTO tidings.outbox (organization_id, topic, event, payload)
VALUES (tidings.current_organization(), %(topic)s, %(event)s, %(payload)s::jsonb)

-- name: relay
-- Takes or renews the relay's lease and publishes what is due.
SELECT is_leader, published, last_position
FROM tidings.relay_v1(%(worker)s, %(max)s, %(lease)s, %(hinted)s)

-- name: relay_state
-- Reads who relays, and for how long the oldest unpublished event has waited.
SELECT worker, is_held, waiting_seconds FROM tidings.relay_state_v1()

-- name: release_relay
-- Gives the relay's lease up.
SELECT tidings.release_relay_v1(%(worker)s)

-- name: outbox_bounds
-- Reads from which position on every event is still here, and the last position.
SELECT resumable_from, last_position FROM tidings.outbox_bounds_v1()

-- name: events_after
-- Reads the next events of every organization, for the hub.
SELECT organization_id, id, topic, event, payload, created_at, position
FROM tidings.events_after_v1(%(after)s, %(max)s)

-- name: topic_events_after
-- Reads the next events of some topics of the current organization, bounded in number and in bytes; none at the end.
SELECT organization_id, id, topic, event, payload, created_at, position
FROM tidings.topic_events_v1(%(topics)s, %(after)s, %(max)s, %(bytes)s)

-- name: sweep_outbox
-- Deletes some of the events that were published more than 24 hours ago.
SELECT tidings.sweep_outbox_v1(%(max)s)

-- name: publish_all
-- Adds several events of the current organization to this transaction, in their order.
INSERT INTO tidings.outbox (organization_id, topic, event, payload)
SELECT tidings.current_organization(), t.topic, t.event, t.payload::jsonb
FROM unnest(%(topics)b::text[], %(events)b::text[], %(payloads)b::text[])
    WITH ORDINALITY AS t (topic, event, payload, n)
ORDER BY t.n

-- name: show_presence
-- Brings the acting person's connection into a room, or changes what it shows there.
INSERT INTO tidings.presences AS p (organization_id, topic, id, user_id, state, node, expires_at)
VALUES (tidings.current_organization(), %(topic)s, %(id)s, tidings.acting_user(), %(state)s::jsonb, %(node)s,
        tidings.now() + %(lease)s)
ON CONFLICT (organization_id, topic, id) DO UPDATE
SET state = EXCLUDED.state, node = EXCLUDED.node, expires_at = EXCLUDED.expires_at

-- name: hide_presence
-- Takes the acting person's connection out of some rooms, or of all.
DELETE FROM tidings.presences
WHERE organization_id = tidings.current_organization() AND id = %(id)s
    AND (%(topics)s::text[] IS NULL OR topic = ANY (%(topics)s::text[]))

-- name: list_presences
-- Who is in a room, in the order they came.
SELECT p.id, p.user_id, u.name, p.state, p.since
FROM tidings.presences AS p JOIN tidings.users AS u ON u.id = p.user_id
WHERE p.organization_id = tidings.current_organization() AND p.topic = %(topic)s AND p.expires_at > tidings.now()
ORDER BY p.since, p.id

-- name: renew_presences
-- Renews what this process holds and removes what no process renewed.
SELECT tidings.renew_presences_v1(%(node)s, %(connections)s::uuid[], %(topics)s::text[], %(lease)s)

-- name: notify_all
-- Sends several notifications on one channel with this transaction.
SELECT pg_catalog.pg_notify(%(channel)s, m.message) FROM unnest(%(messages)b::text[]) AS m (message)

-- name: hold_bridge
-- Takes or renews a bridge, notes what was reached, and answers where to go on.
SELECT tidings.hold_bridge_v1(%(name)s, %(worker)s, %(lease)s, %(reached)s) AS position
