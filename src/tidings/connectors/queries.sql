-- name: get_mailbox
-- A channel's mailbox, with what the channel is; no row where the channel is not seen, no host where it has none.
SELECT c.kind, c.archived_at IS NOT NULL AS is_archived, b.host, b.port, b.tls, b.username, b.folder, b.own_addresses,
    b.since, b.uid_validity, b.last_uid, b.failures, b.last_error, b.last_checked_at, b.next_check_at, b.paused_at,
    b.version, b.created_at, b.updated_at
FROM tidings.channels AS c
LEFT JOIN tidings.mailboxes AS b ON b.organization_id = c.organization_id AND b.channel_id = c.id
WHERE c.organization_id = tidings.current_organization() AND c.id = %(channel_id)s

-- name: set_mailbox
-- Sets a channel's mailbox; where it is the same folder as before, it goes on where it was.
INSERT INTO tidings.mailboxes AS b (organization_id, channel_id, host, port, tls, username, folder, own_addresses, since,
    created_by)
VALUES (tidings.current_organization(), %(channel_id)s, %(host)s, %(port)s, %(tls)s, %(username)s, %(folder)s,
    %(own_addresses)s::text[], %(since)s::timestamptz, tidings.acting_user())
ON CONFLICT (organization_id, channel_id) DO UPDATE SET
    host = excluded.host, port = excluded.port, tls = excluded.tls, username = excluded.username,
    folder = excluded.folder, own_addresses = excluded.own_addresses, since = excluded.since,
    uid_validity = CASE WHEN (b.host, b.username, b.folder) = (excluded.host, excluded.username, excluded.folder)
        AND b.since IS NOT DISTINCT FROM excluded.since THEN b.uid_validity END,
    failures = 0, refusals = 0, last_error = NULL, paused_at = NULL, next_check_at = tidings.now(),
    version = b.version + 1, updated_at = tidings.now()

-- name: delete_mailbox
-- Ends a channel's mailbox; a trigger forgets its password.
DELETE FROM tidings.mailboxes AS b
WHERE b.organization_id = tidings.current_organization() AND b.channel_id = %(channel_id)s

-- name: wake_mailbox
-- Lets a mailbox be checked again that was paused.
UPDATE tidings.mailboxes AS b SET paused_at = NULL, refusals = 0
WHERE b.organization_id = tidings.current_organization() AND b.channel_id = %(channel_id)s
RETURNING b.channel_id

-- name: move_mailbox
-- Notes that everything up to a UID was looked at; no row when somebody else moved or changed the mailbox meanwhile.
UPDATE tidings.mailboxes AS b SET uid_validity = %(uid_validity)s, last_uid = %(last_uid)s
WHERE b.organization_id = tidings.current_organization() AND b.channel_id = %(channel_id)s AND b.version = %(version)s
    AND b.uid_validity IS NOT DISTINCT FROM %(old_validity)s::bigint AND b.last_uid = %(old_uid)s
RETURNING b.channel_id

-- name: note_check
-- Notes how a check ended and when the next one is; the third refusal in a row pauses the mailbox.
UPDATE tidings.mailboxes AS b SET
    last_error = %(problem)s, last_checked_at = tidings.now(),
    failures = CASE WHEN %(failed)s::boolean THEN b.failures + 1 ELSE 0 END,
    refusals = CASE WHEN %(refused)s::boolean THEN b.refusals + 1 ELSE 0 END,
    paused_at = CASE WHEN %(refused)s::boolean AND b.refusals + 1 >= %(most_refusals)s THEN tidings.now() END,
    next_check_at = tidings.now() + CASE WHEN %(failed)s::boolean
        THEN least(%(every)s::interval * 2 ^ least(b.failures, 10), interval '1 hour')
        WHEN %(has_more)s::boolean THEN interval '0' ELSE %(every)s::interval END
WHERE b.organization_id = tidings.current_organization() AND b.channel_id = %(channel_id)s AND b.version = %(version)s

-- name: due_mailboxes
-- Takes mailboxes of every organization that are due to be checked.
SELECT organization_id, channel_id, user_id FROM tidings.due_mailboxes_v1(%(most)s, %(lease)s::interval)
