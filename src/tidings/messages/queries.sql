-- name: lock_channel
-- Lets one transaction at a time take messages into a channel.
SELECT c.id FROM tidings.channels AS c
WHERE c.organization_id = tidings.current_organization() AND c.id = %(channel_id)s
FOR NO KEY UPDATE

-- name: known_messages
-- The channel's last position (null when archived), and of the named messages and threads those that are stored.
-- One look into the unique index for each name. No index takes IS NOT DISTINCT FROM: so a planner without statistics, as in
-- the first minute of a table, cannot read the whole channel instead. LIMIT keeps it from joining the other way round.
SELECT 'channel' AS kind, NULL AS external_id, c.id, NULL::uuid AS thread_id, NULL::timestamptz AS sent_at,
    NULL AS subject, CASE WHEN c.archived_at IS NULL THEN c.last_position END AS position
FROM tidings.channels AS c
WHERE c.organization_id = tidings.current_organization() AND c.id = %(channel_id)s
    AND (tidings.is_service() OR c.id = ANY (tidings.my_channels()))
UNION ALL
SELECT 'message', m.external_id, m.id, m.thread_id, m.sent_at, m.subject, m.position
FROM unnest(%(messages)s::text[]) AS w (external_id)
CROSS JOIN LATERAL (
    SELECT f.external_id, f.id, f.thread_id, f.sent_at, f.subject, f.position FROM tidings.messages AS f
    WHERE f.organization_id = tidings.current_organization() AND f.external_id = w.external_id
        AND f.channel_id IS NOT DISTINCT FROM %(channel_id)s
    LIMIT 1) AS m
UNION ALL
SELECT 'thread', t.external_id, t.id, t.id, NULL, t.subject, t.last_position
FROM unnest(%(threads)s::text[]) AS w (external_id)
CROSS JOIN LATERAL (
    SELECT f.external_id, f.id, f.subject, f.last_position FROM tidings.threads AS f
    WHERE f.organization_id = tidings.current_organization() AND f.external_id = w.external_id
        AND f.channel_id IS NOT DISTINCT FROM %(channel_id)s
    LIMIT 1) AS t

-- name: place_messages
-- Moves the channel's last position on.
UPDATE tidings.channels AS c SET
    last_position = %(position)s, last_message_at = greatest(c.last_message_at, %(last_at)s::timestamptz)
WHERE c.organization_id = tidings.current_organization() AND c.id = %(channel_id)s

-- name: upsert_threads
-- Makes new threads and counts messages into those that are there.
INSERT INTO tidings.threads AS t (organization_id, id, channel_id, external_id, subject, messages_count,
    first_message_at, last_message_at, last_position)
SELECT tidings.current_organization(), r.id, %(channel_id)s, r.external_id, r.subject, r.count, r.first_at, r.last_at,
    r.position
FROM unnest(%(ids)s::uuid[], %(external_ids)s::text[], %(subjects)s::text[], %(counts)s::bigint[],
    %(first_ats)s::timestamptz[], %(last_ats)s::timestamptz[], %(positions)s::bigint[])
    AS r (id, external_id, subject, count, first_at, last_at, position)
ON CONFLICT (organization_id, id) DO UPDATE SET
    subject = CASE t.subject WHEN '' THEN excluded.subject ELSE t.subject END,
    messages_count = t.messages_count + excluded.messages_count,
    first_message_at = least(t.first_message_at, excluded.first_message_at),
    last_message_at = greatest(t.last_message_at, excluded.last_message_at),
    last_position = excluded.last_position

-- name: insert_messages
-- Stores messages behind a position, in their order.
INSERT INTO tidings.messages (organization_id, id, channel_id, position, external_id, thread_id, reply_to, direction,
    sender_id, sender_name, sender_email, answer_to, subject, body, attachments, automatic, sent_at, search)
SELECT tidings.current_organization(), r.id, %(channel_id)s, %(before)s::bigint + r.n, r.external_id, r.thread_id,
    r.reply_to, r.direction, r.sender_id, r.sender_name, r.sender_email, r.answer_to, r.subject, r.body,
    r.attachments::jsonb, r.automatic, r.sent_at, to_tsvector(%(language)s::regconfig, r.subject || E'\n' || r.body)
FROM unnest(%(ids)s::uuid[], %(external_ids)s::text[], %(thread_ids)s::uuid[], %(reply_tos)s::text[],
    %(directions)s::text[], %(sender_ids)s::text[], %(sender_names)s::text[], %(sender_emails)s::text[],
    %(answer_tos)s::text[], %(subjects)s::text[], %(bodies)s::text[], %(attachments)s::text[], %(automatics)s::text[],
    %(sent_ats)s::timestamptz[]) WITH ORDINALITY
    AS r (id, external_id, thread_id, reply_to, direction, sender_id, sender_name, sender_email, answer_to, subject,
        body, attachments, automatic, sent_at, n)

-- name: join_threads
-- Brings messages that were by themselves into the thread that began with them.
UPDATE tidings.messages AS m SET thread_id = r.thread_id
FROM unnest(%(ids)s::uuid[], %(thread_ids)s::uuid[]) AS r (id, thread_id)
WHERE m.organization_id = tidings.current_organization() AND m.id = r.id

-- name: insert_channel
-- Makes a channel; a trigger makes who makes it its first member.
INSERT INTO tidings.channels (organization_id, id, name, kind, timezone, business_hours, holidays, created_by)
VALUES (tidings.current_organization(), %(id)s, %(name)s, %(kind)s, %(timezone)s, %(business_hours)s::jsonb,
    %(holidays)s::date[], tidings.acting_user())

-- name: list_channels
-- One page of channels, the liveliest first, with what the acting user has not read of them.
SELECT c.id, c.name, c.kind, c.timezone, c.business_hours, c.holidays, c.last_position, c.last_message_at, c.version,
    c.created_at, c.updated_at, c.archived_at, m.user_id IS NOT NULL AS is_member, m.read_position,
    coalesce(c.last_position - m.read_position, 0) AS unread
FROM tidings.channels AS c
LEFT JOIN tidings.channel_members AS m
    ON m.organization_id = c.organization_id AND m.channel_id = c.id AND m.user_id = tidings.acting_user()
WHERE c.organization_id = tidings.current_organization()
    AND (c.archived_at IS NOT NULL) = %(archived)s::boolean
    AND (%(mine)s::boolean IS NOT TRUE OR m.user_id IS NOT NULL)
    AND (%(name)s::text IS NULL OR c.name = %(name)s::text)
    AND (%(before_id)s::uuid IS NULL
        OR (%(before_at)s::timestamptz IS NULL AND c.last_message_at IS NULL AND c.id < %(before_id)s::uuid)
        OR (%(before_at)s::timestamptz IS NOT NULL AND (c.last_message_at IS NULL
            OR (c.last_message_at, c.id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))))
ORDER BY c.last_message_at DESC NULLS LAST, c.id DESC
LIMIT %(limit)s

-- name: count_unread
-- How many messages the acting user has not read of the channels that they are a member of.
SELECT coalesce(sum(c.last_position - m.read_position), 0)::bigint AS unread
FROM tidings.channel_members AS m
JOIN tidings.channels AS c ON c.organization_id = m.organization_id AND c.id = m.channel_id
WHERE m.organization_id = tidings.current_organization() AND m.user_id = tidings.acting_user()
    AND c.archived_at IS NULL

-- name: get_channel
-- One channel, with what the acting user has not read of it.
SELECT c.id, c.name, c.kind, c.timezone, c.business_hours, c.holidays, c.last_position, c.last_message_at, c.version,
    c.created_at, c.updated_at, c.archived_at, m.user_id IS NOT NULL AS is_member, m.read_position,
    coalesce(c.last_position - m.read_position, 0) AS unread
FROM tidings.channels AS c
LEFT JOIN tidings.channel_members AS m
    ON m.organization_id = c.organization_id AND m.channel_id = c.id AND m.user_id = tidings.acting_user()
WHERE c.organization_id = tidings.current_organization() AND c.id = %(id)s

-- name: update_channel
-- Changes what is given of a channel, at its version where one is asked for.
UPDATE tidings.channels AS c SET
    name = coalesce(%(name)s, c.name),
    kind = coalesce(%(kind)s, c.kind),
    timezone = coalesce(%(timezone)s, c.timezone),
    business_hours = coalesce(%(business_hours)s::jsonb, c.business_hours),
    holidays = coalesce(%(holidays)s::date[], c.holidays),
    archived_at = CASE %(archived)s::boolean WHEN true THEN coalesce(c.archived_at, tidings.now())
        WHEN false THEN NULL ELSE c.archived_at END,
    version = c.version + 1, updated_at = tidings.now()
WHERE c.organization_id = tidings.current_organization() AND c.id = %(id)s
    AND (%(version)s::bigint IS NULL OR c.version = %(version)s::bigint)

-- name: delete_channel
-- Removes a channel with all that is in it.
DELETE FROM tidings.channels AS c
WHERE c.organization_id = tidings.current_organization() AND c.id = %(id)s

-- name: archive_channel
-- Lets a channel take no more messages.
UPDATE tidings.channels AS c SET archived_at = coalesce(c.archived_at, tidings.now())
WHERE c.organization_id = tidings.current_organization() AND c.id = %(id)s

-- name: delete_messages
-- Removes the messages of a channel between two positions.
DELETE FROM tidings.messages AS m
WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
    AND m.position > %(after)s AND m.position <= %(until)s

-- name: list_channel_members
-- Who sees a channel, in the order of their names.
SELECT m.user_id, u.name, u.email, m.read_position, m.read_at, m.created_at
FROM tidings.channel_members AS m JOIN tidings.users AS u ON u.id = m.user_id
WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
ORDER BY lower(u.name), u.email

-- name: insert_channel_member
-- Lets a member of the organization see a channel; no row when there is no such person.
INSERT INTO tidings.channel_members AS m (organization_id, channel_id, user_id)
SELECT o.organization_id, %(channel_id)s, o.user_id
FROM tidings.organization_members AS o
WHERE o.organization_id = tidings.current_organization() AND o.user_id = %(user_id)s
ON CONFLICT (organization_id, channel_id, user_id) DO NOTHING

-- name: delete_channel_member
-- Takes somebody out of a channel.
DELETE FROM tidings.channel_members AS m
WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s AND m.user_id = %(user_id)s

-- name: mark_read
-- Notes how far the acting user has read a channel; never back, never beyond what is there.
UPDATE tidings.channel_members AS m SET
    read_position = greatest(m.read_position, least(%(position)s::bigint, c.last_position)), read_at = tidings.now()
FROM tidings.channels AS c
WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
    AND m.user_id = tidings.acting_user() AND c.organization_id = m.organization_id AND c.id = m.channel_id
RETURNING m.read_position, c.last_position - m.read_position AS unread

-- name: sees_channel
-- Whether the acting user is a member of a channel.
SELECT tidings.is_service() OR %(channel_id)s::uuid = ANY (tidings.my_channels()) AS sees

-- name: list_messages_newest
-- One page of a channel's messages, the newest first.
SELECT m.id, m.channel_id, m.position, m.external_id, m.thread_id, m.reply_to, m.direction, m.sender_id,
    m.sender_name, m.sender_email, m.subject, m.body, m.attachments, m.automatic, m.sent_at, m.created_at
FROM tidings.messages AS m
WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
    AND (%(at)s::timestamptz IS NULL OR (m.sent_at, m.id) < (%(at)s::timestamptz, %(id)s::uuid))
ORDER BY m.sent_at DESC, m.id DESC
LIMIT %(limit)s

-- name: list_messages_oldest
-- One page of a channel's messages, the oldest first.
SELECT m.id, m.channel_id, m.position, m.external_id, m.thread_id, m.reply_to, m.direction, m.sender_id,
    m.sender_name, m.sender_email, m.subject, m.body, m.attachments, m.automatic, m.sent_at, m.created_at
FROM tidings.messages AS m
WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
    AND (%(at)s::timestamptz IS NULL OR (m.sent_at, m.id) > (%(at)s::timestamptz, %(id)s::uuid))
ORDER BY m.sent_at, m.id
LIMIT %(limit)s

-- name: list_thread_newest
-- One page of a thread's messages, the newest first.
SELECT m.id, m.channel_id, m.position, m.external_id, m.thread_id, m.reply_to, m.direction, m.sender_id,
    m.sender_name, m.sender_email, m.subject, m.body, m.attachments, m.automatic, m.sent_at, m.created_at
FROM tidings.messages AS m
WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
    AND m.thread_id = %(thread_id)s
    AND (%(at)s::timestamptz IS NULL OR (m.sent_at, m.id) < (%(at)s::timestamptz, %(id)s::uuid))
ORDER BY m.sent_at DESC, m.id DESC
LIMIT %(limit)s

-- name: list_thread_oldest
-- One page of a thread's messages, the oldest first.
SELECT m.id, m.channel_id, m.position, m.external_id, m.thread_id, m.reply_to, m.direction, m.sender_id,
    m.sender_name, m.sender_email, m.subject, m.body, m.attachments, m.automatic, m.sent_at, m.created_at
FROM tidings.messages AS m
WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
    AND m.thread_id = %(thread_id)s
    AND (%(at)s::timestamptz IS NULL OR (m.sent_at, m.id) > (%(at)s::timestamptz, %(id)s::uuid))
ORDER BY m.sent_at, m.id
LIMIT %(limit)s

-- name: get_message
-- One message.
SELECT m.id, m.channel_id, m.position, m.external_id, m.thread_id, m.reply_to, m.direction, m.sender_id,
    m.sender_name, m.sender_email, m.subject, m.body, m.attachments, m.automatic, m.sent_at, m.created_at
FROM tidings.messages AS m
WHERE m.organization_id = tidings.current_organization() AND m.id = %(id)s

-- name: list_threads
-- One page of a channel's threads, the liveliest first, with who spoke last and how it begins.
SELECT t.id, t.channel_id, t.external_id, t.subject, t.messages_count, t.first_message_at, t.last_message_at,
    t.last_position, l.sender AS last_sender, l.opening
FROM tidings.threads AS t
LEFT JOIN LATERAL (
    SELECT coalesce(nullif(m.sender_name, ''), m.sender_id) AS sender, left(m.body, 200) AS opening
    FROM tidings.messages AS m
    WHERE m.organization_id = t.organization_id AND m.thread_id = t.id
    ORDER BY m.sent_at DESC, m.id DESC LIMIT 1) AS l ON true
WHERE t.organization_id = tidings.current_organization() AND t.channel_id = %(channel_id)s
    AND (%(at)s::timestamptz IS NULL OR (t.last_message_at, t.id) < (%(at)s::timestamptz, %(id)s::uuid))
ORDER BY t.last_message_at DESC, t.id DESC
LIMIT %(limit)s

-- name: list_conversations
-- One page of a channel's threads and of the messages that are in none, the liveliest first.
SELECT c.id, c.is_alone, c.subject, c.messages_count, c.last_message_at, c.last_position, c.last_sender, c.opening
FROM (
    (SELECT t.id, false AS is_alone, t.subject, t.messages_count, t.last_message_at, t.last_position,
        l.sender AS last_sender, l.opening
    FROM tidings.threads AS t
    LEFT JOIN LATERAL (
        SELECT coalesce(nullif(m.sender_name, ''), m.sender_id) AS sender, left(m.body, 200) AS opening
        FROM tidings.messages AS m
        WHERE m.organization_id = t.organization_id AND m.thread_id = t.id
        ORDER BY m.sent_at DESC, m.id DESC LIMIT 1) AS l ON true
    WHERE t.organization_id = tidings.current_organization() AND t.channel_id = %(channel_id)s
        AND (%(at)s::timestamptz IS NULL OR (t.last_message_at, t.id) < (%(at)s::timestamptz, %(id)s::uuid))
    ORDER BY t.last_message_at DESC, t.id DESC
    LIMIT %(limit)s)
    UNION ALL
    (SELECT m.id, true, m.subject, 1, m.sent_at, m.position, coalesce(nullif(m.sender_name, ''), m.sender_id),
        left(m.body, 200)
    FROM tidings.messages AS m
    WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s AND m.thread_id IS NULL
        AND (%(at)s::timestamptz IS NULL OR (m.sent_at, m.id) < (%(at)s::timestamptz, %(id)s::uuid))
    ORDER BY m.sent_at DESC, m.id DESC
    LIMIT %(limit)s)) AS c
ORDER BY c.last_message_at DESC, c.id DESC
LIMIT %(limit)s

-- name: get_thread
-- One thread.
SELECT t.id, t.channel_id, t.external_id, t.subject, t.messages_count, t.first_message_at, t.last_message_at,
    t.last_position
FROM tidings.threads AS t
WHERE t.organization_id = tidings.current_organization() AND t.id = %(id)s

-- name: search_messages
-- The messages that answer a search, the newest first.
SELECT message_id, channel_id, thread_id, position, sender_name, subject, direction, sent_at, snippet
FROM tidings.search_messages_v1(%(query)s, %(language)s, %(channel_id)s, %(at)s, %(id)s, %(limit)s)

-- name: insert_message_hook
-- Makes an address that posts into a channel.
INSERT INTO tidings.message_hooks (organization_id, id, channel_id, user_id, token_hash)
VALUES (tidings.current_organization(), %(id)s, %(channel_id)s, tidings.acting_user(), %(token_hash)s)

-- name: list_message_hooks
-- The addresses that post into a channel.
SELECT h.id, h.created_at, h.revoked_at FROM tidings.message_hooks AS h
WHERE h.organization_id = tidings.current_organization() AND h.channel_id = %(channel_id)s
ORDER BY h.id

-- name: revoke_message_hook
-- Ends an address.
UPDATE tidings.message_hooks AS h SET revoked_at = tidings.now()
WHERE h.organization_id = tidings.current_organization() AND h.channel_id = %(channel_id)s AND h.id = %(id)s
    AND h.revoked_at IS NULL

-- name: find_message_hook
-- Whose address a webhook token is.
SELECT organization_id, hook_id, channel_id, user_id FROM tidings.find_message_hook_v1(%(token_hash)s)

-- name: own_channels
-- The channels the acting person is a member of, and how far they have read.
SELECT r.channel_id AS id, to_jsonb(r) AS row FROM tidings.channel_members AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user()
