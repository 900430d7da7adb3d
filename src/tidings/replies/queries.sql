-- name: insert_rule
-- Makes a rule of the acting user unless they have as many as one may have, or it names channels that they do not see.
WITH unseen AS MATERIALIZED (
    SELECT array_agg(n.channel_id) AS channels
    FROM jsonb_array_elements_text(coalesce(%(trigger_conditions)s::jsonb -> 'channels', '[]')) AS n (channel_id)
    WHERE NOT EXISTS (SELECT FROM tidings.channels AS c
        WHERE c.organization_id = tidings.current_organization() AND c.id = n.channel_id::uuid)),
made AS (
    INSERT INTO tidings.message_auto_responses (organization_id, id, user_id, name, rule_type, enabled,
        trigger_conditions, response_template, ai_customize, priority, action, cooldown, timezone, away_from, away_until)
    SELECT tidings.current_organization(), %(id)s, tidings.acting_user(), %(name)s, %(rule_type)s, %(enabled)s,
        %(trigger_conditions)s::jsonb, %(response_template)s, %(ai_customize)s, %(priority)s, %(action)s, %(cooldown)s,
        %(timezone)s, %(away_from)s, %(away_until)s
    FROM unseen AS u
    WHERE u.channels IS NULL AND %(most)s > (SELECT count(*) FROM tidings.message_auto_responses AS r
        WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user())
    RETURNING id, user_id, name, rule_type, enabled, enabled_at, trigger_conditions, response_template, ai_customize,
        priority, action, cooldown, timezone, away_from AS "from", away_until AS until, version, times_triggered,
        last_triggered_at, created_at, updated_at)
SELECT u.channels AS unseen_channels, made.* FROM unseen AS u LEFT JOIN made ON true

-- name: list_rules
-- The acting user's rules in the order in which they are tried; those that name a channel, where one is given.
SELECT r.id, r.user_id, r.name, r.rule_type, r.enabled, r.trigger_conditions, r.response_template, r.ai_customize,
    r.priority, r.action, r.cooldown, r.timezone, r.away_from AS "from", r.away_until AS until, r.version, r.enabled_at,
    r.times_triggered, r.last_triggered_at, r.created_at, r.updated_at
FROM tidings.message_auto_responses AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user()
    AND (%(channel_id)s::uuid IS NULL
        OR r.trigger_conditions @> jsonb_build_object('channels', jsonb_build_array(%(channel_id)s::uuid::text)))
ORDER BY r.priority DESC, r.created_at, r.id

-- name: get_rule
-- One rule of the acting user.
SELECT r.id, r.user_id, r.name, r.rule_type, r.enabled, r.trigger_conditions, r.response_template, r.ai_customize,
    r.priority, r.action, r.cooldown, r.timezone, r.away_from AS "from", r.away_until AS until, r.version, r.enabled_at,
    r.times_triggered, r.last_triggered_at, r.created_at, r.updated_at
FROM tidings.message_auto_responses AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user() AND r.id = %(id)s

-- name: update_rule
-- Replaces what its owner says of a rule, at the version that they saw, unless it names more channels out of their sight.
WITH unseen AS MATERIALIZED (
    SELECT array_agg(n.channel_id) AS channels
    FROM jsonb_array_elements_text(coalesce(%(trigger_conditions)s::jsonb -> 'channels', '[]')) AS n (channel_id)
    WHERE NOT EXISTS (SELECT FROM tidings.channels AS c
            WHERE c.organization_id = tidings.current_organization() AND c.id = n.channel_id::uuid)
        AND NOT EXISTS (SELECT FROM tidings.message_auto_responses AS o
            WHERE o.organization_id = tidings.current_organization() AND o.user_id = tidings.acting_user()
                AND o.id = %(id)s AND o.trigger_conditions -> 'channels' ? n.channel_id)),
changed AS (
    UPDATE tidings.message_auto_responses AS r SET
        name = %(name)s, rule_type = %(rule_type)s, enabled = %(enabled)s,
        enabled_at = CASE WHEN %(enabled)s AND NOT r.enabled THEN tidings.now() ELSE r.enabled_at END,
        trigger_conditions = %(trigger_conditions)s::jsonb, response_template = %(response_template)s,
        ai_customize = %(ai_customize)s, priority = %(priority)s, action = %(action)s, cooldown = %(cooldown)s,
        timezone = %(timezone)s, away_from = %(away_from)s, away_until = %(away_until)s,
        version = r.version + 1, updated_at = tidings.now()
    FROM unseen AS u
    WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user() AND r.id = %(id)s
        AND (%(version)s::bigint IS NULL OR r.version = %(version)s) AND u.channels IS NULL
    RETURNING r.id)
SELECT u.channels AS unseen_channels, changed.id FROM unseen AS u LEFT JOIN changed ON true

-- name: switch_rule
-- Turns a rule on or off.
UPDATE tidings.message_auto_responses AS r SET
    enabled = %(enabled)s, version = r.version + 1, updated_at = tidings.now(),
    enabled_at = CASE WHEN %(enabled)s AND NOT r.enabled THEN tidings.now() ELSE r.enabled_at END
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user() AND r.id = %(id)s
RETURNING r.version

-- name: delete_rule
-- Removes a rule, at the version that its owner saw.
DELETE FROM tidings.message_auto_responses AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user() AND r.id = %(id)s
    AND (%(version)s::bigint IS NULL OR r.version = %(version)s)

-- name: reorder_rules
-- Gives the acting user's rules the priorities that make this order; none when it is not of all of them.
WITH wanted AS (
    SELECT w.id, (cardinality(%(ids)s::uuid[]) - w.place) * 10 AS priority
    FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS w (id, place)),
own AS (
    SELECT r.id FROM tidings.message_auto_responses AS r
    WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user())
UPDATE tidings.message_auto_responses AS r SET
    priority = wanted.priority,
    version = r.version + CASE WHEN r.priority = wanted.priority THEN 0 ELSE 1 END,
    updated_at = CASE WHEN r.priority = wanted.priority THEN r.updated_at ELSE tidings.now() END
FROM wanted
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user() AND r.id = wanted.id
    AND cardinality(%(ids)s::uuid[]) = (SELECT count(*) FROM own)
    AND NOT EXISTS (SELECT FROM own WHERE own.id <> ALL (%(ids)s::uuid[]))

-- name: channel_to_consider
-- A channel's hours and how far it was considered.
SELECT c.id AS channel_id, c.kind, c.timezone, c.business_hours, c.holidays, coalesce(p.position, 0) AS position
FROM tidings.channels AS c
LEFT JOIN tidings.auto_response_positions AS p
    ON p.organization_id = c.organization_id AND p.channel_id = c.id
WHERE c.organization_id = tidings.current_organization() AND c.id = %(channel_id)s

-- name: rules_of_channel
-- The enabled rules of everybody who sees a channel and may write, but those for other channels.
SELECT r.id, r.user_id, r.name, r.rule_type, r.enabled, r.trigger_conditions, r.response_template, r.ai_customize,
    r.priority, r.action, r.cooldown, r.timezone, r.away_from AS "from", r.away_until AS until, r.version, r.enabled_at,
    r.times_triggered, r.last_triggered_at, r.created_at, r.updated_at
FROM tidings.channel_members AS m
JOIN tidings.organization_members AS o
    ON o.organization_id = m.organization_id AND o.user_id = m.user_id AND o.role <> 'viewer'
JOIN tidings.users AS u ON u.id = m.user_id AND u.disabled_at IS NULL
JOIN tidings.message_auto_responses AS r
    ON r.organization_id = m.organization_id AND r.user_id = m.user_id AND r.enabled
    AND (coalesce(r.trigger_conditions -> 'channels', '[]') = '[]'
        OR r.trigger_conditions -> 'channels' ? %(channel_id)s::uuid::text)
WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s

-- name: messages_to_consider
-- The next messages that were sent and came in lately, after the position that was considered.
WITH page AS MATERIALIZED (
    SELECT m.id AS message_id, m.channel_id, m.position, m.sender_id, m.sender_name, m.sender_email, m.answer_to,
        m.subject, m.body, m.created_at AS at, m.sent_at, m.direction, m.automatic
    FROM tidings.messages AS m
    WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
        AND m.position > coalesce((SELECT p.position FROM tidings.auto_response_positions AS p
            WHERE p.organization_id = tidings.current_organization() AND p.channel_id = %(channel_id)s), 0)
        AND m.position <= %(until)s AND m.direction = 'in' AND m.sent_at > m.created_at - interval '1 day'
        AND m.created_at > tidings.now() - interval '1 day'
    ORDER BY m.position LIMIT %(limit)s),
ours AS MATERIALIZED (
    SELECT tidings.our_addresses_v1(array_agg(p.sender_id) || array_agg(p.sender_email) || array_agg(p.answer_to))
        AS addresses FROM page AS p)
SELECT p.*, ARRAY[lower(p.sender_id), lower(p.sender_email), lower(p.answer_to)] && ours.addresses AS is_ours
FROM page AS p CROSS JOIN ours
ORDER BY p.position

-- name: guards
-- What stops each of the replies that rules would make, without claiming any.
SELECT g.user_id, g.message_id, g.guard FROM tidings.auto_reply_guards_v1(%(claims)s::jsonb, tidings.now()) AS g

-- name: claim
-- Claims replies and moves the channel on; holds their owners until the commit.
SELECT c.user_id, c.message_id, c.guard, c.claimed_at
FROM tidings.claim_auto_replies_v1(%(channel_id)s, %(from)s, %(to)s, %(claims)s::jsonb) AS c

-- name: advance
-- Moves a channel on where no rule matched.
SELECT count(*) FROM tidings.claim_auto_replies_v1(%(channel_id)s, %(from)s, %(to)s, '[]'::jsonb)

-- name: insert_log
-- Logs what became of messages; one that is logged for this owner already stays as it is.
INSERT INTO tidings.message_auto_response_log (organization_id, id, user_id, rule_id, rule_name, channel_id, message_id,
    sender_id, outcome, guard, response_text, proposals, matched, ai_customized, ai_note, approval_id, created_at)
SELECT tidings.current_organization(), l.id, l.user_id, l.rule_id, l.rule_name, l.channel_id, l.message_id, l.sender_id,
    l.outcome, l.guard, l.response_text, l.proposals, l.matched, l.ai_customized, l.ai_note, l.approval_id, l.created_at
FROM jsonb_to_recordset(%(rows)s::jsonb) AS l (id uuid, user_id uuid, rule_id uuid, rule_name text, channel_id uuid,
    message_id uuid, sender_id text, outcome text, guard text, response_text text, proposals jsonb, matched jsonb,
    ai_customized boolean, ai_note text, approval_id uuid, created_at timestamptz)
ON CONFLICT (organization_id, user_id, message_id) DO NOTHING

-- name: message_to_explain
-- One message with its channel, as its reader sees it.
SELECT m.id AS message_id, m.channel_id, m.position, m.sender_id, m.sender_name, m.sender_email, m.answer_to, m.subject,
    m.body, m.created_at AS at, m.sent_at, m.direction, m.automatic, c.timezone, c.business_hours, c.holidays,
    ARRAY[lower(m.sender_id), lower(m.sender_email), lower(m.answer_to)]
        && tidings.our_addresses_v1(ARRAY[m.sender_id, m.sender_email, m.answer_to]) AS is_ours
FROM tidings.messages AS m
JOIN tidings.channels AS c ON c.organization_id = m.organization_id AND c.id = m.channel_id
WHERE m.organization_id = tidings.current_organization() AND m.id = %(message_id)s

-- name: recent_messages
-- The messages that came in last in the reader's channels, with their channels.
SELECT m.id AS message_id, m.channel_id, m.position, m.sender_id, m.sender_name, m.sender_email, m.answer_to, m.subject,
    m.body, m.created_at AS at, m.sent_at, m.direction, m.automatic, c.timezone, c.business_hours, c.holidays,
    ARRAY[lower(m.sender_id), lower(m.sender_email), lower(m.answer_to)]
        && tidings.our_addresses_v1(ARRAY[m.sender_id, m.sender_email, m.answer_to]) AS is_ours
FROM unnest((SELECT tidings.my_channels())::uuid[]) AS mine (channel_id)
JOIN tidings.channels AS c
    ON c.organization_id = tidings.current_organization() AND c.id = mine.channel_id AND c.archived_at IS NULL
CROSS JOIN LATERAL (
    SELECT n.* FROM tidings.messages AS n
    WHERE n.organization_id = c.organization_id AND n.channel_id = c.id AND n.direction = 'in'
    ORDER BY n.position DESC LIMIT %(limit)s) AS m
ORDER BY m.created_at DESC, m.id DESC LIMIT %(limit)s

-- name: channel_hours
-- The zone, hours and holidays of a channel that the reader sees.
SELECT c.timezone, c.business_hours, c.holidays FROM tidings.channels AS c
WHERE c.organization_id = tidings.current_organization() AND c.id = %(channel_id)s

-- name: messages_before
-- Messages, each with what was said before it in its thread, else lately in its channel, oldest first.
SELECT m.id AS message_id, b.sender_name, b.sender_id, b.body
FROM tidings.messages AS m
CROSS JOIN LATERAL (
    (SELECT n.sent_at, n.id, n.sender_name, n.sender_id, left(n.body, 4000) AS body FROM tidings.messages AS n
    WHERE m.thread_id IS NOT NULL AND n.organization_id = m.organization_id AND n.thread_id = m.thread_id
        AND (n.sent_at, n.id) <= (m.sent_at, m.id)
    ORDER BY n.sent_at DESC, n.id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT n.sent_at, n.id, n.sender_name, n.sender_id, left(n.body, 4000) AS body FROM tidings.messages AS n
    WHERE m.thread_id IS NULL AND n.organization_id = m.organization_id AND n.channel_id = m.channel_id
        AND n.position BETWEEN m.position - 100 AND m.position AND n.thread_id IS NULL
        AND (n.sent_at, n.id) <= (m.sent_at, m.id)
    ORDER BY n.sent_at DESC, n.id DESC LIMIT %(most)s)) AS b
WHERE m.organization_id = tidings.current_organization() AND m.id = ANY (%(message_ids)s::uuid[])
ORDER BY m.id, b.sent_at, b.id

-- name: find_answers
-- What was proposed to the acting user for a message, and the draft that answers it, if there is one.
SELECT m.automatic, l.proposals, l.ai_note,
    (SELECT a.id FROM tidings.approvals AS a
    WHERE a.organization_id = m.organization_id AND a.message_id = m.id
        AND a.status NOT IN ('rejected', 'expired', 'cancelled')
    ORDER BY a.id DESC LIMIT 1) AS approval_id
FROM tidings.messages AS m
LEFT JOIN tidings.message_auto_response_log AS l
    ON l.organization_id = m.organization_id AND l.user_id = tidings.acting_user() AND l.message_id = m.id
    AND l.outcome = 'proposed'
WHERE m.organization_id = tidings.current_organization() AND m.id = %(message_id)s

-- name: lock_answer
-- Lets one person at a time draft an answer to a message.
SELECT pg_advisory_xact_lock(hashtextextended('answer:' || %(message_id)s::uuid, 0))

-- name: message_to_answer
-- A message that came in, with what an answer to it needs, and the draft that answers it already.
SELECT m.channel_id, c.kind, m.sender_id, m.sender_email, m.answer_to, m.subject, left(m.body, 200) AS quote,
    (SELECT a.id FROM tidings.approvals AS a
    WHERE a.organization_id = m.organization_id AND a.message_id = m.id
        AND a.status NOT IN ('rejected', 'expired', 'cancelled')
    ORDER BY a.id DESC LIMIT 1) AS approval_id
FROM tidings.messages AS m
JOIN tidings.channels AS c ON c.organization_id = m.organization_id AND c.id = m.channel_id
WHERE m.organization_id = tidings.current_organization() AND m.id = %(message_id)s AND m.direction = 'in'

-- name: list_log
-- What became of messages that the acting user's rules matched, the newest first.
SELECT l.id, l.rule_id, l.rule_name, l.channel_id, l.message_id, l.sender_id, l.outcome, l.guard, l.response_text,
    l.proposals, l.matched, l.ai_customized, l.ai_note, l.approval_id, a.status AS approval_status, l.created_at
FROM tidings.message_auto_response_log AS l
LEFT JOIN tidings.approvals AS a ON a.organization_id = l.organization_id AND a.id = l.approval_id
WHERE l.organization_id = tidings.current_organization() AND l.user_id = tidings.acting_user()
    AND (%(rule_id)s::uuid IS NULL OR l.rule_id = %(rule_id)s)
    AND (%(outcome)s::text IS NULL OR l.outcome = %(outcome)s)
    AND (%(before_at)s::timestamptz IS NULL OR (l.created_at, l.id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY l.created_at DESC, l.id DESC LIMIT %(limit)s

-- name: analytics
-- Counts by rule, day and guard of what became of the acting user's messages, in one look.
SELECT grouping(l.rule_id, l.day, l.guard) AS level, l.rule_id, max(l.rule_name) AS rule_name, l.day, l.guard,
    count(*) AS matched, count(*) FILTER (WHERE l.outcome = 'drafted') AS drafted,
    count(*) FILTER (WHERE l.outcome = 'sent') AS sent, count(*) FILTER (WHERE l.outcome = 'proposed') AS proposed,
    count(*) FILTER (WHERE l.outcome = 'stopped') AS stopped, count(*) FILTER (WHERE l.ai_customized) AS ai_customized
FROM (SELECT e.rule_id, e.rule_name, (e.created_at AT TIME ZONE 'UTC')::date AS day, e.guard, e.outcome, e.ai_customized
    FROM tidings.message_auto_response_log AS e
    WHERE e.organization_id = tidings.current_organization() AND e.user_id = tidings.acting_user()
        AND e.created_at >= %(since)s) AS l
GROUP BY GROUPING SETS ((), (l.rule_id), (l.day), (l.guard))
ORDER BY level, l.day, matched DESC, l.rule_id

-- name: sweep
-- Deletes log rows past their age.
SELECT tidings.sweep_auto_responses_v1(%(age)s::interval, %(most)s)

-- name: own_rules
-- The acting person's rules for automatic answers.
SELECT r.id AS id, to_jsonb(r) AS row FROM tidings.message_auto_responses AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user()

-- name: own_replies
-- What became of messages that the acting person's rules matched.
SELECT r.id AS id, to_jsonb(r) AS row FROM tidings.message_auto_response_log AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user()
