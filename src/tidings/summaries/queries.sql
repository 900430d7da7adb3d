-- name: look_up
-- What a summary would read now, its key, and the summary that answers the key already.
SELECT p.key, p.spans,
       CASE WHEN s.id IS NOT NULL THEN
           to_jsonb(s) || jsonb_build_object('channel_name', c.name, 'thread_subject', t.subject) END AS summary
  FROM tidings.plan_summary(%(type)s, %(channel_id)s::uuid, %(thread_id)s::uuid, %(from_at)s::timestamptz,
       %(until_at)s::timestamptz, %(edition)s) AS p
  LEFT JOIN LATERAL (SELECT tidings.get_cached_summary(p.key) AS id) AS cached ON true
  LEFT JOIN tidings.conversation_summaries AS s
    ON s.organization_id = tidings.current_organization() AND s.id = cached.id AND s.expires_at > tidings.now()
  LEFT JOIN tidings.channels AS c ON c.organization_id = s.organization_id AND c.id = s.channel_id
  LEFT JOIN tidings.threads AS t ON t.organization_id = s.organization_id AND t.id = s.thread_id

-- name: channel_names
-- The names of channels, the one with the newest message first.
SELECT c.id, c.name
  FROM tidings.channels AS c
 WHERE c.organization_id = tidings.current_organization() AND c.id = ANY (%(ids)s::uuid[])
 ORDER BY c.last_message_at DESC NULLS LAST, c.id

-- name: thread_messages
-- The messages of a thread up to a position: the newest, in whole windows. What a machine answered has no words.
SELECT m.id, m.channel_id, m.position, coalesce(nullif(m.sender_name, ''), m.sender_id) AS sender,
       CASE WHEN m.automatic IN ('reply', 'bounce') THEN '' ELSE m.body END AS body, m.sent_at, m.ordinal, m.thread_id, m.external_id, m.reply_to
  FROM (SELECT s.*, row_number() OVER (ORDER BY s.position) - 1 AS ordinal, count(*) OVER () AS total
          FROM tidings.messages AS s
         WHERE s.organization_id = tidings.current_organization() AND s.thread_id = %(thread_id)s
           AND s.position <= %(last)s) AS m
 WHERE m.ordinal >= ceil((m.total - %(most)s) / %(window)s::numeric) * %(window)s
 ORDER BY m.position

-- name: channel_messages
-- The messages of channels, each after one position up to another: the newest, in whole windows.
SELECT m.id, m.channel_id, m.position, coalesce(nullif(m.sender_name, ''), m.sender_id) AS sender,
       CASE WHEN m.automatic IN ('reply', 'bounce') THEN '' ELSE m.body END AS body, m.sent_at, m.position - 1 - w.after_position AS ordinal, m.thread_id, m.external_id, m.reply_to
  FROM unnest(%(channel_ids)s::uuid[], %(afters)s::bigint[], %(lasts)s::bigint[])
       WITH ORDINALITY AS w (channel_id, after_position, last_position, place)
 CROSS JOIN LATERAL (
       SELECT greatest(0, ceil((w.last_position - w.after_position - %(most)s) / %(window)s::numeric)
              * %(window)s)::bigint AS skipped) AS o
  JOIN tidings.messages AS m ON m.organization_id = tidings.current_organization() AND m.channel_id = w.channel_id
   AND m.position > w.after_position + o.skipped AND m.position <= w.last_position
 ORDER BY w.place, m.position

-- name: period_messages
-- The messages of channels that were sent in a stretch of time, up to a position: the newest, in whole windows.
SELECT m.id, m.channel_id, m.position, coalesce(nullif(m.sender_name, ''), m.sender_id) AS sender,
       CASE WHEN m.automatic IN ('reply', 'bounce') THEN '' ELSE m.body END AS body, m.sent_at, m.ordinal, m.thread_id, m.external_id, m.reply_to
  FROM unnest(%(channel_ids)s::uuid[], %(lasts)s::bigint[]) WITH ORDINALITY AS w (channel_id, last_position, place)
 CROSS JOIN LATERAL (
       SELECT s.*, row_number() OVER (ORDER BY s.position) - 1 AS ordinal, count(*) OVER () AS total
         FROM tidings.messages AS s
        WHERE s.organization_id = tidings.current_organization() AND s.channel_id = w.channel_id
          AND s.sent_at >= %(from_at)s AND s.sent_at < coalesce(%(until_at)s::timestamptz, 'infinity')
          AND s.position <= w.last_position) AS m
 WHERE m.ordinal >= ceil((m.total - %(most)s) / %(window)s::numeric) * %(window)s
 ORDER BY w.place, m.position

-- name: cached_windows
-- What was read of windows, by their keys.
SELECT c.key, c.value
  FROM tidings.summary_cache AS c
 WHERE c.organization_id = tidings.current_organization() AND c.key = ANY (%(keys)s::text[]) AND c.kind = 'window'
   AND c.expires_at > tidings.now()

-- name: cache_window
-- Keeps what was read of a window.
SELECT tidings.cache_summary(%(key)s, NULL, %(value)s::jsonb, %(channel_id)s, %(ttl)s::interval)

-- name: insert_summary
-- Keeps a summary.
INSERT INTO tidings.conversation_summaries (
       organization_id, id, type, channel_id, thread_id, user_id, channel_ids, local_date, timezone, since, from_at,
       until_at, summary_text, summary_sentences, key_points, action_items, decisions, open_questions, participants,
       highlights, message_count, messages_left_out, evidence, unverified, quotes_checked, engine, edition, run_id)
SELECT tidings.current_organization(), %(id)s, %(type)s, %(channel_id)s, %(thread_id)s, %(user_id)s,
       %(channel_ids)s::uuid[], %(local_date)s::date, %(timezone)s, %(since)s::timestamptz, r.from_at, r.until_at,
       r.summary_text, r.summary_sentences, r.key_points, r.action_items, r.decisions, r.open_questions,
       r.participants, r.highlights, r.message_count, r.messages_left_out, r.evidence, r.unverified,
       r.quotes_checked, %(engine)s, %(edition)s, %(run_id)s
  FROM jsonb_populate_record(NULL::tidings.conversation_summaries, %(content)s::jsonb) AS r

-- name: cache_answer
-- Keeps for ten minutes that a summary answers a key.
SELECT tidings.cache_summary(%(key)s, %(id)s)

-- name: get_summary
-- One summary.
SELECT to_jsonb(s) || jsonb_build_object('channel_name', c.name, 'thread_subject', t.subject) AS summary
  FROM tidings.conversation_summaries AS s
  LEFT JOIN tidings.channels AS c ON c.organization_id = s.organization_id AND c.id = s.channel_id
  LEFT JOIN tidings.threads AS t ON t.organization_id = s.organization_id AND t.id = s.thread_id
 WHERE s.organization_id = tidings.current_organization() AND s.id = %(id)s AND s.expires_at > tidings.now()

-- name: list_summaries
-- Summaries, newest first: what is everybody's and what is one's own, each by its index.
SELECT to_jsonb(s) || jsonb_build_object('channel_name', c.name, 'thread_subject', t.subject) AS summary
  FROM (SELECT * FROM (
            SELECT * FROM tidings.conversation_summaries AS a
             WHERE a.organization_id = tidings.current_organization() AND a.user_id IS NULL
               AND a.expires_at > tidings.now()
               AND (%(type)s::text IS NULL OR a.type = %(type)s)
               AND (%(reference)s::uuid IS NULL OR a.reference = %(reference)s)
               AND (%(owner)s::text IS NULL
                    OR a.action_items @> jsonb_build_array(jsonb_build_object('owner', %(owner)s::text)))
               AND (%(before)s::uuid IS NULL OR a.id < %(before)s)
             ORDER BY a.id DESC LIMIT %(limit)s) AS everybodys
        UNION ALL
        SELECT * FROM (
            SELECT * FROM tidings.conversation_summaries AS a
             WHERE a.organization_id = tidings.current_organization() AND a.user_id = tidings.acting_user()
               AND a.expires_at > tidings.now()
               AND (%(type)s::text IS NULL OR a.type = %(type)s)
               AND (%(reference)s::uuid IS NULL OR a.reference = %(reference)s)
               AND (%(owner)s::text IS NULL
                    OR a.action_items @> jsonb_build_array(jsonb_build_object('owner', %(owner)s::text)))
               AND (%(before)s::uuid IS NULL OR a.id < %(before)s)
             ORDER BY a.id DESC LIMIT %(limit)s) AS own) AS s
  LEFT JOIN tidings.channels AS c ON c.organization_id = s.organization_id AND c.id = s.channel_id
  LEFT JOIN tidings.threads AS t ON t.organization_id = s.organization_id AND t.id = s.thread_id
 ORDER BY s.id DESC
 LIMIT %(limit)s

-- name: my_channel_names
-- The channels that may be caught up with, by name, and how many messages are unread.
SELECT c.id, c.name, greatest(c.last_position - r.read_position, 0) AS unread
  FROM tidings.channel_members AS r
  JOIN tidings.channels AS c ON c.organization_id = r.organization_id AND c.id = r.channel_id
 WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user()
   AND c.archived_at IS NULL
 ORDER BY lower(c.name), c.id

-- name: sweep
-- Deletes summaries and cache entries that have expired.
SELECT tidings.cleanup_expired_summaries(%(most)s)

-- name: start_due_digests
-- Starts the digests whose time has come, of every organization.
SELECT looked_at, started FROM tidings.start_due_digests_v1(%(kind)s, %(hour)s, %(deadline)s::interval, %(most)s)

-- name: read_schedule
-- When the acting person's digest is made, and in which time zone.
SELECT CASE WHEN d.user_id IS NULL THEN %(hour)s ELSE d.hour END AS hour,
       coalesce(u.time_zone, o.time_zone) AS timezone, d.digested_on
  FROM tidings.users AS u
  JOIN tidings.organizations AS o ON o.id = tidings.current_organization()
  LEFT JOIN tidings.digest_schedules AS d
    ON d.organization_id = tidings.current_organization() AND d.user_id = u.id
 WHERE u.id = tidings.acting_user()

-- name: set_digest_hour
-- Sets when the acting person's digest is made; null: not at all.
INSERT INTO tidings.digest_schedules (organization_id, user_id, hour)
VALUES (tidings.current_organization(), tidings.acting_user(), %(hour)s)
ON CONFLICT (organization_id, user_id) DO UPDATE SET hour = excluded.hour

-- name: set_time_zone
-- Sets the acting person's time zone.
UPDATE tidings.users SET time_zone = %(timezone)s WHERE id = tidings.acting_user()

-- name: own_digest_schedules
-- When the acting person's digest is made.
SELECT r.user_id AS id, to_jsonb(r) AS row FROM tidings.digest_schedules AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user()

-- name: own_summaries
-- The acting person's digests and catch-ups.
SELECT r.id AS id, to_jsonb(r) AS row FROM tidings.conversation_summaries AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user()
