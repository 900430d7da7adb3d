-- name: begin_intelligence
-- Makes the row of a channel that is read for the first time.
INSERT INTO tidings.conversation_intelligence (organization_id, channel_id)
SELECT c.organization_id, c.id FROM tidings.channels AS c
WHERE c.organization_id = tidings.current_organization() AND c.id = %(channel_id)s
ON CONFLICT DO NOTHING

-- name: lock_intelligence
-- Takes the row of a channel for this transaction alone, with the channel's kind.
SELECT i.position, i.current_sentiment, i.sentiment_score, i.sentiment_reason, i.sentiment_evidence,
    i.recent_readings, i.detected_topics, i.topic_confidence, i.participant_engagement,
    i.engagement_trend, i.engagement_change, i.activity, i.response_times, i.response_samples,
    i.open_questions, i.pending, i.suggested_followups, i.message_count, i.first_message_at,
    i.last_message_at, i.analysis_count, i.engine, i.refined_position, c.kind
FROM tidings.conversation_intelligence AS i
JOIN tidings.channels AS c ON c.organization_id = i.organization_id AND c.id = i.channel_id
WHERE i.organization_id = tidings.current_organization() AND i.channel_id = %(channel_id)s
FOR UPDATE OF i

-- name: messages_to_read
-- The next messages of a channel in order of position, and before them a few of the channel and of their threads as context.
-- Of a thread no more than a few places are looked at, however much of it waits to be read.
WITH fresh AS MATERIALIZED (
    SELECT m.id, m.position, m.external_id, m.thread_id, m.reply_to, m.direction, m.sender_id,
        m.sender_name, left(m.body, 20000) AS body, m.automatic, m.sent_at
    FROM tidings.messages AS m
    WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
        AND m.position > %(after)s
    ORDER BY m.position LIMIT %(limit)s
), before AS (
    SELECT b.id FROM (
        SELECT m.id FROM tidings.messages AS m
        WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
            AND m.position <= %(after)s
        ORDER BY m.position DESC LIMIT %(context)s) AS b
    WHERE EXISTS (SELECT FROM fresh)
    UNION
    SELECT e.id FROM (
        SELECT f.thread_id, min(f.sent_at) AS since FROM fresh AS f
        WHERE f.thread_id IS NOT NULL GROUP BY f.thread_id) AS t
    CROSS JOIN LATERAL (
        SELECT p.id FROM (
            SELECT m.id, m.position, m.sent_at FROM tidings.messages AS m
            WHERE m.organization_id = tidings.current_organization() AND m.thread_id = t.thread_id
                AND m.sent_at <= t.since
            ORDER BY m.sent_at DESC, m.id DESC LIMIT 8 * %(of_thread)s::bigint) AS p
        WHERE p.position <= %(after)s
        ORDER BY p.sent_at DESC, p.id DESC LIMIT %(of_thread)s) AS e
)
SELECT f.*, true AS is_new FROM fresh AS f
UNION ALL
SELECT m.id, m.position, m.external_id, m.thread_id, m.reply_to, m.direction, m.sender_id,
    m.sender_name, left(m.body, 20000), m.automatic, m.sent_at, false
FROM before AS b
JOIN tidings.messages AS m ON m.organization_id = tidings.current_organization() AND m.id = b.id
ORDER BY position

-- name: last_messages
-- The newest messages of a channel up to a position that people wrote, in order.
SELECT * FROM (
    SELECT m.id, m.position, m.external_id, m.thread_id, m.reply_to, m.direction, m.sender_id,
        m.sender_name, left(m.body, 20000) AS body, m.automatic, m.sent_at, true AS is_new
    FROM tidings.messages AS m
    WHERE m.organization_id = tidings.current_organization() AND m.channel_id = %(channel_id)s
        AND m.position <= %(position)s AND m.position > %(position)s - 4 * %(limit)s::bigint
        AND m.automatic IS NULL
    ORDER BY m.position DESC LIMIT %(limit)s) AS newest
ORDER BY position

-- name: save_intelligence
-- Writes the state of a channel whose row this transaction holds.
UPDATE tidings.conversation_intelligence AS i SET
    position = %(position)s, current_sentiment = %(current_sentiment)s,
    sentiment_score = %(sentiment_score)s, sentiment_reason = %(sentiment_reason)s,
    sentiment_evidence = %(sentiment_evidence)s::jsonb, recent_readings = %(recent_readings)s::jsonb,
    detected_topics = %(detected_topics)s::jsonb, topic_confidence = %(topic_confidence)s::jsonb,
    participant_engagement = %(participant_engagement)s::jsonb,
    engagement_trend = %(engagement_trend)s, engagement_change = %(engagement_change)s,
    activity = %(activity)s::jsonb, response_times = %(response_times)s::jsonb,
    response_samples = %(response_samples)s::jsonb, open_questions = %(open_questions)s::jsonb,
    pending = %(pending)s::jsonb, suggested_followups = %(suggested_followups)s::jsonb,
    message_count = %(message_count)s, first_message_at = %(first_message_at)s,
    last_message_at = %(last_message_at)s, analysis_count = %(analysis_count)s,
    last_analyzed_at = tidings.now(), engine = %(engine)s
WHERE i.organization_id = tidings.current_organization() AND i.channel_id = %(channel_id)s

-- name: note_day_end
-- Notes how a channel felt at the end of a day; the triggers make a reading of it.
UPDATE tidings.conversation_intelligence AS i SET
    position = %(position)s, current_sentiment = %(current_sentiment)s,
    sentiment_score = %(sentiment_score)s, last_message_at = %(last_message_at)s,
    analysis_count = i.analysis_count + 1, engine = 'local'
WHERE i.organization_id = tidings.current_organization() AND i.channel_id = %(channel_id)s

-- name: note_topics
-- Adds what new messages mentioned to the history of a channel's topics.
INSERT INTO tidings.topic_detection_history AS t (organization_id, channel_id, topic_key, topic,
    first_detected_at, last_mentioned_at, mention_count, confidence, message_ids)
SELECT tidings.current_organization(), %(channel_id)s, n.key, n.topic, n.first_at, n.last_at, n.count,
    n.confidence, n.message_ids
FROM unnest(%(keys)s::text[], %(topics)s::text[], %(first_ats)s::timestamptz[],
    %(last_ats)s::timestamptz[], %(counts)s::bigint[], %(confidences)s::double precision[],
    %(message_ids)s::text[]::jsonb[])
    AS n (key, topic, first_at, last_at, count, confidence, message_ids)
ON CONFLICT (organization_id, channel_id, topic_key) DO UPDATE SET
    first_detected_at = least(t.first_detected_at, excluded.first_detected_at),
    last_mentioned_at = greatest(t.last_mentioned_at, excluded.last_mentioned_at),
    mention_count = t.mention_count + excluded.mention_count,
    confidence = greatest(excluded.confidence, round((t.confidence * 0.8)::numeric, 4)::double precision),
    message_ids = jsonb_path_query_array(excluded.message_ids || t.message_ids, '$[0 to 4]')

-- name: refine_intelligence
-- Writes what a provider made of a channel that is still at the position it read.
UPDATE tidings.conversation_intelligence AS i SET
    current_sentiment = %(current_sentiment)s, sentiment_score = %(sentiment_score)s,
    sentiment_reason = %(sentiment_reason)s, sentiment_evidence = %(sentiment_evidence)s::jsonb,
    detected_topics = %(detected_topics)s::jsonb, topic_confidence = %(topic_confidence)s::jsonb,
    suggested_followups = %(suggested_followups)s::jsonb, analysis_count = i.analysis_count + 1,
    last_analyzed_at = tidings.now(), engine = %(engine)s, refined_position = %(position)s,
    refined_at = tidings.now()
WHERE i.organization_id = tidings.current_organization() AND i.channel_id = %(channel_id)s

-- name: channel_shown
-- Whether the acting user may read a channel's messages.
SELECT c.id FROM tidings.channels AS c
WHERE c.organization_id = tidings.current_organization() AND c.id = %(channel_id)s
    AND (tidings.is_service() OR c.id = ANY (tidings.my_channels()))

-- name: intelligence_summary
-- The whole reading of a channel, null where the acting user is not its member.
SELECT tidings.get_intelligence_summary(%(channel_id)s) AS summary

-- name: sentiment_readings
-- A channel's readings of the last days, newest first.
SELECT h.id, h.sentiment, h.score, h.position, h.engine, h.as_of, h.read_at
FROM tidings.sentiment_history AS h
WHERE h.organization_id = tidings.current_organization() AND h.channel_id = %(channel_id)s
    AND h.read_at >= tidings.now() - %(days)s * interval '1 day'
    AND (%(before_at)s::timestamptz IS NULL
        OR (h.read_at, h.id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY h.read_at DESC, h.id DESC LIMIT %(limit)s

-- name: topics_of
-- What a channel spoke of in the last days, mentioned last first.
SELECT t.topic_key, t.topic, t.confidence, t.mention_count, t.first_detected_at, t.last_mentioned_at,
    ARRAY(SELECT jsonb_array_elements_text(t.message_ids)::uuid) AS message_ids
FROM tidings.topic_detection_history AS t
WHERE t.organization_id = tidings.current_organization() AND t.channel_id = %(channel_id)s
    AND t.last_mentioned_at >= tidings.now() - %(days)s * interval '1 day'
    AND (%(before_at)s::timestamptz IS NULL OR t.last_mentioned_at < %(before_at)s::timestamptz
        OR (t.last_mentioned_at = %(before_at)s::timestamptz AND t.topic_key > %(after_key)s))
ORDER BY t.last_mentioned_at DESC, t.topic_key LIMIT %(limit)s

-- name: worst_sentiment
-- The acting user's channels that feel worst.
SELECT i.channel_id, c.name AS channel_name, i.current_sentiment, i.sentiment_score,
    i.sentiment_reason, i.last_message_at
FROM tidings.conversation_intelligence AS i
JOIN tidings.channels AS c ON c.organization_id = i.organization_id AND c.id = i.channel_id
WHERE i.organization_id = tidings.current_organization()
    AND i.current_sentiment IN ('negative', 'mixed') AND c.archived_at IS NULL
ORDER BY i.sentiment_score, i.channel_id LIMIT %(limit)s

-- name: fastest_declining
-- The acting user's channels whose engagement declines, the fastest first.
SELECT i.channel_id, c.name AS channel_name, i.engagement_change, i.last_message_at
FROM tidings.conversation_intelligence AS i
JOIN tidings.channels AS c ON c.organization_id = i.organization_id AND c.id = i.channel_id
WHERE i.organization_id = tidings.current_organization()
    AND i.engagement_trend = 'declining' AND c.archived_at IS NULL
ORDER BY i.engagement_change, i.channel_id LIMIT %(limit)s

-- name: oldest_unanswered
-- The acting user's channels with open questions, the one that waits longest first, and that question.
SELECT i.channel_id, c.name AS channel_name, i.oldest_question_at AS asked_at,
    jsonb_array_length(i.open_questions) AS open_questions,
    q.value ->> 'asked_by' AS asked_by, q.value ->> 'quote' AS question,
    (q.value ->> 'message_id')::uuid AS message_id
FROM tidings.conversation_intelligence AS i
JOIN tidings.channels AS c ON c.organization_id = i.organization_id AND c.id = i.channel_id
CROSS JOIN LATERAL (
    SELECT value FROM jsonb_array_elements(i.open_questions)
    ORDER BY (value ->> 'asked_at')::timestamptz LIMIT 1) AS q
WHERE i.organization_id = tidings.current_organization()
    AND i.oldest_question_at IS NOT NULL AND c.archived_at IS NULL
ORDER BY i.oldest_question_at, i.channel_id LIMIT %(limit)s

-- name: sweep_intelligence
-- Deletes up to so many readings and topics that are past their age; answers with how many.
SELECT tidings.cleanup_old_intelligence_history(%(most)s, %(sentiment_age)s, %(topic_age)s) AS swept

-- name: refresh_trends
-- Brings the stored trends of the next so many channels up to now; how many changed and the place to go on from, no row at the end.
SELECT changed, last_at, last_organization, last_channel
FROM tidings.refresh_engagement_trends(%(after_at)s, %(after_organization)s, %(after_channel)s, %(until)s, %(most)s)
