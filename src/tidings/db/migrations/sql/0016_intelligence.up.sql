-- What a channel's messages mean by now: one row a channel, brought up to date by what is new.

CREATE TABLE tidings.conversation_intelligence (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL,
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    current_sentiment text NOT NULL DEFAULT 'neutral'
        CHECK (current_sentiment IN ('positive', 'neutral', 'negative', 'mixed')),
    sentiment_score double precision NOT NULL DEFAULT 0 CHECK (sentiment_score BETWEEN -1 AND 1),
    sentiment_reason text NOT NULL DEFAULT '' CHECK (char_length(sentiment_reason) <= 600),
    sentiment_evidence jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(sentiment_evidence) = 'array'),
    sentiment_history jsonb NOT NULL DEFAULT '[]'
        CHECK (jsonb_typeof(sentiment_history) = 'array' AND jsonb_array_length(sentiment_history) <= 50),
    recent_readings jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(recent_readings) = 'array'),
    detected_topics jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(detected_topics) = 'array'),
    topic_confidence jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(topic_confidence) = 'object'),
    participant_engagement jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(participant_engagement) = 'array'),
    engagement_trend text NOT NULL DEFAULT 'stable'
        CHECK (engagement_trend IN ('increasing', 'stable', 'declining')),
    engagement_change double precision NOT NULL DEFAULT 0,
    activity jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(activity) = 'object'),
    response_times jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(response_times) = 'object'),
    response_samples jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(response_samples) = 'array'),
    open_questions jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(open_questions) = 'array'),
    oldest_question_at timestamptz,
    pending jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(pending) = 'array'),
    suggested_followups jsonb NOT NULL DEFAULT '[]'
        CHECK (jsonb_typeof(suggested_followups) = 'array' AND jsonb_array_length(suggested_followups) <= 3),
    message_count bigint NOT NULL DEFAULT 0 CHECK (message_count >= 0),
    first_message_at timestamptz,
    last_message_at timestamptz,
    analysis_count bigint NOT NULL DEFAULT 0 CHECK (analysis_count >= 0),
    last_analyzed_at timestamptz,
    engine text NOT NULL DEFAULT 'local' CHECK (char_length(engine) BETWEEN 1 AND 200),
    refined_position bigint NOT NULL DEFAULT 0 CHECK (refined_position >= 0),
    refined_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, channel_id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX intelligence_by_sentiment ON tidings.conversation_intelligence
    (organization_id, sentiment_score, channel_id) WHERE current_sentiment IN ('negative', 'mixed');
CREATE INDEX intelligence_declining ON tidings.conversation_intelligence
    (organization_id, engagement_change, channel_id) WHERE engagement_trend = 'declining';
CREATE INDEX intelligence_unanswered ON tidings.conversation_intelligence
    (organization_id, oldest_question_at, channel_id) WHERE oldest_question_at IS NOT NULL;
CREATE INDEX intelligence_active ON tidings.conversation_intelligence (last_message_at, organization_id, channel_id)
    WHERE last_message_at IS NOT NULL;
COMMENT ON TABLE tidings.conversation_intelligence IS
    'The current reading of a channel. Retention: goes with its channel.';
COMMENT ON COLUMN tidings.conversation_intelligence.position IS
    'Everything up to this position of the channel was read; moved under this row''s lock, so each message counts once.';
COMMENT ON COLUMN tidings.conversation_intelligence.sentiment_evidence IS
    '[{message_id, quote}]: what the reason rests on, verbatim.';
COMMENT ON COLUMN tidings.conversation_intelligence.sentiment_history IS
    'The last 50 readings, newest first: [{sentiment, score, as_of, read_at, position, engine}]. Kept by a trigger, whatever is written.';
COMMENT ON COLUMN tidings.conversation_intelligence.recent_readings IS
    'The last messages as they were read, newest first: what the sentiment is weighed from.';
COMMENT ON COLUMN tidings.conversation_intelligence.topic_confidence IS 'By topic, 0 to 1.';
COMMENT ON COLUMN tidings.conversation_intelligence.participant_engagement IS
    '[{id, name, direction, messages, last_seen_at}]: those seen last, at most 200; scores follow from it and the time.';
COMMENT ON COLUMN tidings.conversation_intelligence.engagement_change IS
    'Messages in the recent window against the one before it: −1 none any more, 0 as many, 1 twice as many.';
COMMENT ON COLUMN tidings.conversation_intelligence.activity IS
    'Messages by hour (hours since 1970) of the 15 days before the newest message.';
COMMENT ON COLUMN tidings.conversation_intelligence.response_samples IS
    'The last 200 answers: [[answered at, in seconds since 1970; seconds it took; direction]].';
COMMENT ON COLUMN tidings.conversation_intelligence.oldest_question_at IS
    'Since when the oldest open question waits; kept by a trigger.';
COMMENT ON COLUMN tidings.conversation_intelligence.pending IS
    'Decisions, requests and promises that wait: what follow-ups are suggested from.';
COMMENT ON COLUMN tidings.conversation_intelligence.refined_position IS
    'Up to which position a provider has read; an older refinement never overwrites a newer one.';

CREATE TABLE tidings.sentiment_history (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL,
    id uuid NOT NULL,
    sentiment text NOT NULL CHECK (sentiment IN ('positive', 'neutral', 'negative', 'mixed')),
    score double precision NOT NULL CHECK (score BETWEEN -1 AND 1),
    position bigint NOT NULL CHECK (position >= 0),
    engine text NOT NULL CHECK (char_length(engine) BETWEEN 1 AND 200),
    as_of timestamptz NOT NULL,
    read_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, channel_id, id),
    FOREIGN KEY (organization_id, channel_id)
        REFERENCES tidings.conversation_intelligence (organization_id, channel_id) ON DELETE CASCADE
);
CREATE INDEX sentiment_history_by_time ON tidings.sentiment_history
    (organization_id, channel_id, read_at DESC, id DESC);
CREATE INDEX sentiment_history_age ON tidings.sentiment_history (read_at);
COMMENT ON TABLE tidings.sentiment_history IS
    'Every reading of a channel''s sentiment, written by a trigger. Retention: 90 days.';
COMMENT ON COLUMN tidings.sentiment_history.as_of IS 'When the newest message that was read is from.';

CREATE TABLE tidings.topic_detection_history (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL,
    topic_key text NOT NULL CHECK (char_length(topic_key) BETWEEN 1 AND 80),
    topic text NOT NULL CHECK (char_length(topic) BETWEEN 1 AND 80),
    first_detected_at timestamptz NOT NULL,
    last_mentioned_at timestamptz NOT NULL,
    mention_count bigint NOT NULL DEFAULT 1 CHECK (mention_count > 0),
    confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    message_ids jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(message_ids) = 'array'),
    PRIMARY KEY (organization_id, channel_id, topic_key),
    CONSTRAINT topic_in_order CHECK (first_detected_at <= last_mentioned_at),
    FOREIGN KEY (organization_id, channel_id)
        REFERENCES tidings.conversation_intelligence (organization_id, channel_id) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX topics_by_time ON tidings.topic_detection_history
    (organization_id, channel_id, last_mentioned_at DESC, topic_key);
CREATE INDEX topics_age ON tidings.topic_detection_history (last_mentioned_at);
COMMENT ON TABLE tidings.topic_detection_history IS
    'What a channel spoke of, since when and how often. Retention: 60 days after it was mentioned last.';
COMMENT ON COLUMN tidings.topic_detection_history.topic_key IS 'The topic in lower case: what makes two mentions one topic.';
COMMENT ON COLUMN tidings.topic_detection_history.message_ids IS 'The last messages that mentioned it, at most 5, newest first.';

-- Members of the channel read; the services write; nobody else does either.
DO $$
DECLARE
    held text;
    own CONSTANT text := 'organization_id = (SELECT tidings.current_organization())';
BEGIN
    FOREACH held IN ARRAY ARRAY['conversation_intelligence', 'sentiment_history', 'topic_detection_history'] LOOP
        PERFORM tidings.protect(format('tidings.%I', held)::regclass);
        EXECUTE format('CREATE POLICY system_all ON tidings.%I TO tidings_system USING (true) WITH CHECK (true)', held);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.%I TO tidings_app, tidings_system', held);
        EXECUTE format(
            'CREATE POLICY member_select ON tidings.%I FOR SELECT TO tidings_app USING (%s AND ((SELECT tidings.is_service()) OR channel_id = ANY ((SELECT tidings.my_channels())::uuid[])))',
            held, own);
        EXECUTE format(
            'CREATE POLICY service_insert ON tidings.%I FOR INSERT TO tidings_app WITH CHECK (%s AND (SELECT tidings.is_service()))',
            held, own);
        EXECUTE format(
            'CREATE POLICY service_update ON tidings.%1$I FOR UPDATE TO tidings_app USING (%2$s AND (SELECT tidings.is_service())) WITH CHECK (%2$s AND (SELECT tidings.is_service()))',
            held, own);
        EXECUTE format(
            'CREATE POLICY service_delete ON tidings.%I FOR DELETE TO tidings_app USING (%s AND (SELECT tidings.is_service()))',
            held, own);
    END LOOP;
END
$$;

CREATE FUNCTION tidings.keep_sentiment_readings() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    kept jsonb := CASE WHEN TG_OP = 'UPDATE' THEN OLD.sentiment_history ELSE '[]' END;
    counted bigint := CASE WHEN TG_OP = 'UPDATE' THEN OLD.analysis_count ELSE 0 END;
BEGIN
    IF NEW.analysis_count > counted THEN
        kept := jsonb_build_array(jsonb_build_object(
            'sentiment', NEW.current_sentiment, 'score', NEW.sentiment_score,
            'as_of', coalesce(NEW.last_message_at, tidings.now()), 'read_at', tidings.now(),
            'position', NEW.position, 'engine', NEW.engine)) || kept;
        IF jsonb_array_length(kept) > 50 THEN
            kept := jsonb_path_query_array(kept, '$[0 to 49]');
        END IF;
    END IF;
    NEW.sentiment_history := kept;
    NEW.oldest_question_at := (
        SELECT min((q ->> 'asked_at')::timestamptz) FROM jsonb_array_elements(NEW.open_questions) AS q);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION tidings.keep_sentiment_readings() IS
    'Puts each new reading before the last 49, the first one too, and notes since when the oldest question waits.';
CREATE TRIGGER keep_sentiment_readings BEFORE INSERT OR UPDATE ON tidings.conversation_intelligence
    FOR EACH ROW EXECUTE FUNCTION tidings.keep_sentiment_readings();

CREATE FUNCTION tidings.record_sentiment() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.analysis_count > (CASE WHEN TG_OP = 'UPDATE' THEN OLD.analysis_count ELSE 0 END) THEN
        INSERT INTO tidings.sentiment_history
            (organization_id, channel_id, id, sentiment, score, position, engine, as_of, read_at)
        VALUES (NEW.organization_id, NEW.channel_id, tidings.uuid7(), NEW.current_sentiment,
            NEW.sentiment_score, NEW.position, NEW.engine,
            coalesce(NEW.last_message_at, tidings.now()), tidings.now());
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.record_sentiment() IS 'Each new reading of a channel''s sentiment becomes a row of its history.';
CREATE TRIGGER record_sentiment AFTER INSERT OR UPDATE ON tidings.conversation_intelligence
    FOR EACH ROW EXECUTE FUNCTION tidings.record_sentiment();

-- The same as intelligence/decide.py, for readers at any later moment; a test holds the two together.
CREATE FUNCTION tidings.engagement_score(p_messages bigint, p_most bigint, p_seen timestamptz, p_at timestamptz)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN least(100.0, 60.0 * p_messages / greatest(p_most, 1) + 40.0 * CASE
    WHEN p_at - p_seen < interval '5 minutes' THEN 1.0
    WHEN p_at - p_seen < interval '30 minutes' THEN 0.8
    WHEN p_at - p_seen < interval '1 hour' THEN 0.6
    WHEN p_at - p_seen < interval '24 hours' THEN 0.4
    ELSE 0.2 END)::double precision;
COMMENT ON FUNCTION tidings.engagement_score(bigint, bigint, timestamptz, timestamptz) IS
    'How engaged a participant is, 0 to 100: 60 by their share of the most active one''s messages, 40 by how lately they wrote.';

CREATE FUNCTION tidings.engagement_trend_of(
    p_activity jsonb, p_answers jsonb, p_first timestamptz, p_at timestamptz,
    OUT trend text, OUT days integer, OUT recent_messages bigint, OUT previous_messages bigint,
    OUT recent_response double precision, OUT previous_response double precision, OUT change double precision
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    doubtful CONSTANT double precision := 2.807;  -- two-sided 0.005, for each of two tests
    ending bigint := floor(extract(epoch FROM p_at) / 3600);
    span bigint;
    n1 double precision; n2 double precision; ranks double precision; ties double precision;
    spread double precision; z double precision;
    votes integer[] := '{}';
BEGIN
    trend := 'stable';
    change := 0;
    days := greatest(1, least(7, floor(extract(epoch FROM p_at - p_first) / 172800)))::integer;
    span := 24 * days;
    SELECT coalesce(sum(a.value::bigint) FILTER (WHERE a.key::bigint > ending - span), 0),
           coalesce(sum(a.value::bigint) FILTER (WHERE a.key::bigint <= ending - span), 0)
      INTO recent_messages, previous_messages
      FROM jsonb_each_text(p_activity) AS a
     WHERE a.key::bigint > ending - 2 * span AND a.key::bigint <= ending;
    WITH answers AS (
        SELECT (v ->> 1)::double precision AS seconds,
               floor((v ->> 0)::double precision / 3600) > ending - span AS is_recent
          FROM jsonb_array_elements(p_answers) AS v
         WHERE floor((v ->> 0)::double precision / 3600) > ending - 2 * span
           AND floor((v ->> 0)::double precision / 3600) <= ending
    ), ranked AS (
        SELECT seconds, is_recent, count(*) OVER (PARTITION BY seconds) AS same,
               rank() OVER (ORDER BY seconds) + (count(*) OVER (PARTITION BY seconds) - 1) / 2.0 AS place
          FROM answers
    )
    SELECT count(*) FILTER (WHERE is_recent), count(*) FILTER (WHERE NOT is_recent),
           sum(place) FILTER (WHERE is_recent), sum(same * same - 1),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE is_recent),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE NOT is_recent)
      INTO n1, n2, ranks, ties, recent_response, previous_response
      FROM ranked;
    IF p_first IS NULL OR p_at - p_first < interval '2 days' OR recent_messages + previous_messages < 20 THEN
        RETURN;
    END IF;
    change := (recent_messages - previous_messages)::double precision / greatest(previous_messages, 1);
    IF greatest(recent_messages, previous_messages) >= 1.25 * least(recent_messages, previous_messages)
        AND (abs(recent_messages - previous_messages) - 1) / sqrt(recent_messages + previous_messages) >= doubtful
    THEN
        votes := votes || sign(recent_messages - previous_messages)::integer;
    END IF;
    IF n1 >= 8 AND n2 >= 8
        AND greatest(recent_response, previous_response) >= 1.25 * least(recent_response, previous_response)
    THEN
        spread := sqrt(n1 * n2 / 12 * ((n1 + n2 + 1) - ties / ((n1 + n2) * (n1 + n2 - 1))));
        IF spread > 0 THEN
            z := ranks - n1 * (n1 + 1) / 2 - n1 * n2 / 2;
            IF (abs(z) - 0.5) / spread >= doubtful THEN
                votes := votes || (-sign(z))::integer;  -- sooner is better
            END IF;
        END IF;
    END IF;
    IF 1 = ANY (votes) AND NOT -1 = ANY (votes) THEN
        trend := 'increasing';
    ELSIF -1 = ANY (votes) AND NOT 1 = ANY (votes) THEN
        trend := 'declining';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.engagement_trend_of(jsonb, jsonb, timestamptz, timestamptz) IS
    'Whether messages and response times of the last days (1 to 7) differ from as many days before: a binomial test of the counts, Mann–Whitney of the times; stable where there is too little to tell or the two disagree.';

CREATE FUNCTION tidings.calculate_engagement_trend(
    p_channel uuid, p_at timestamptz DEFAULT NULL,
    OUT trend text, OUT days integer, OUT recent_messages bigint, OUT previous_messages bigint,
    OUT recent_response double precision, OUT previous_response double precision, OUT change double precision
)
LANGUAGE sql STABLE
AS $$
    SELECT t.* FROM tidings.conversation_intelligence AS i
    CROSS JOIN LATERAL tidings.engagement_trend_of(
        i.activity, i.response_samples, i.first_message_at, coalesce(p_at, tidings.now())) AS t
    WHERE i.organization_id = tidings.current_organization() AND i.channel_id = p_channel
$$;
COMMENT ON FUNCTION tidings.calculate_engagement_trend(uuid, timestamptz) IS
    'The engagement trend of a channel at a moment, now unless told, with the figures of both windows; null for a channel that was never read or is not shown.';

CREATE FUNCTION tidings.get_intelligence_summary(p_channel uuid) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
    SELECT jsonb_build_object(
        'channel_id', c.id, 'channel_name', c.name, 'channel_kind', c.kind,
        'current_sentiment', coalesce(i.current_sentiment, 'neutral'),
        'sentiment_score', coalesce(i.sentiment_score, 0),
        'sentiment_reason', coalesce(i.sentiment_reason, ''),
        'sentiment_evidence', coalesce(i.sentiment_evidence, '[]'),
        'sentiment_history', coalesce(i.sentiment_history, '[]'),
        'detected_topics', coalesce(i.detected_topics, '[]'),
        'topic_confidence', coalesce(i.topic_confidence, '{}'),
        'participant_engagement', people.shown, 'engagement_score', people.mean,
        'engagement_trend', coalesce(t.trend, 'stable'),
        'trend', CASE WHEN t.days IS NOT NULL THEN to_jsonb(t) - 'trend' END,
        'response_times', coalesce(i.response_times, '{}'),
        'open_questions', coalesce(i.open_questions, '[]'),
        'suggested_followups', coalesce(i.suggested_followups, '[]'),
        'message_count', coalesce(i.message_count, 0),
        'first_message_at', i.first_message_at, 'last_message_at', i.last_message_at,
        'analysis_count', coalesce(i.analysis_count, 0), 'last_analyzed_at', i.last_analyzed_at,
        'engine', coalesce(i.engine, 'local'), 'refined_at', i.refined_at,
        'position', coalesce(i.position, 0), 'unread', c.last_position - coalesce(i.position, 0))
    FROM tidings.channels AS c
    LEFT JOIN tidings.conversation_intelligence AS i
        ON i.organization_id = c.organization_id AND i.channel_id = c.id
    LEFT JOIN LATERAL tidings.engagement_trend_of(
        i.activity, i.response_samples, i.first_message_at, tidings.now()) AS t ON i.channel_id IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(p.person || jsonb_build_object('score', p.score)
                   ORDER BY p.score DESC, p.person ->> 'id'), '[]') AS shown,
               coalesce(round(avg(p.score)::numeric, 1), 0) AS mean
        FROM (SELECT e AS person, round(tidings.engagement_score(
                         (e ->> 'messages')::bigint, max((e ->> 'messages')::bigint) OVER (),
                         (e ->> 'last_seen_at')::timestamptz, tidings.now())::numeric, 1) AS score
              FROM jsonb_array_elements(i.participant_engagement) AS e) AS p) AS people
    WHERE c.organization_id = tidings.current_organization() AND c.id = p_channel
        AND (tidings.is_service() OR c.id = ANY (tidings.my_channels()))
$$;
COMMENT ON FUNCTION tidings.get_intelligence_summary(uuid) IS
    'The whole reading of a channel as of now, scores and trend included; null unless the acting user is its member.';
GRANT EXECUTE ON FUNCTION
    tidings.engagement_score(bigint, bigint, timestamptz, timestamptz),
    tidings.engagement_trend_of(jsonb, jsonb, timestamptz, timestamptz),
    tidings.calculate_engagement_trend(uuid, timestamptz), tidings.get_intelligence_summary(uuid)
TO tidings_app, tidings_system;

CREATE FUNCTION tidings.cleanup_old_intelligence_history(
    p_most integer DEFAULT 1000, p_sentiment_age interval DEFAULT '90 days', p_topic_age interval DEFAULT '60 days'
) RETURNS bigint
LANGUAGE sql
AS $$
    WITH old_readings AS (
        SELECT h.organization_id, h.channel_id, h.id FROM tidings.sentiment_history AS h
        WHERE h.read_at < tidings.now() - p_sentiment_age
        ORDER BY h.read_at LIMIT p_most FOR UPDATE SKIP LOCKED
    ), forgotten AS (
        DELETE FROM tidings.sentiment_history AS h USING old_readings AS o
        WHERE h.organization_id = o.organization_id AND h.channel_id = o.channel_id AND h.id = o.id
        RETURNING 1
    ), old_topics AS (
        SELECT t.organization_id, t.channel_id, t.topic_key FROM tidings.topic_detection_history AS t
        WHERE t.last_mentioned_at < tidings.now() - p_topic_age
        ORDER BY t.last_mentioned_at LIMIT p_most FOR UPDATE SKIP LOCKED
    ), dropped AS (
        DELETE FROM tidings.topic_detection_history AS t USING old_topics AS o
        WHERE t.organization_id = o.organization_id AND t.channel_id = o.channel_id AND t.topic_key = o.topic_key
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM forgotten) + (SELECT count(*) FROM dropped)
$$;
COMMENT ON FUNCTION tidings.cleanup_old_intelligence_history(integer, interval, interval) IS
    'Deletes readings past their age and topics nobody mentioned for theirs, at most so many rows of each; returns how many.';
SELECT tidings.run_as_system('tidings.cleanup_old_intelligence_history(integer, interval, interval)');

-- A channel that fell silent is read by nobody: its trend follows from the time alone. Channels are looked at in the order of
-- their last messages, so many at a time, and each call says where the next one goes on.
CREATE FUNCTION tidings.refresh_engagement_trends(
    p_after_at timestamptz, p_after_organization uuid, p_after_channel uuid, p_until timestamptz, p_most integer)
RETURNS TABLE (changed bigint, last_at timestamptz, last_organization uuid, last_channel uuid)
LANGUAGE sql
AS $$
    WITH page AS MATERIALIZED (
        SELECT i.organization_id, i.channel_id, i.last_message_at
        FROM tidings.conversation_intelligence AS i
        WHERE (i.last_message_at, i.organization_id, i.channel_id) > (
                coalesce(p_after_at, tidings.now() - interval '22 days'),
                coalesce(p_after_organization, '00000000-0000-0000-0000-000000000000'),
                coalesce(p_after_channel, '00000000-0000-0000-0000-000000000000'))
            AND i.last_message_at <= p_until
        ORDER BY i.last_message_at, i.organization_id, i.channel_id LIMIT p_most
    ), stale AS MATERIALIZED (
        SELECT i.organization_id, i.channel_id, t.trend, t.change
        FROM page AS p
        JOIN tidings.conversation_intelligence AS i
            ON i.organization_id = p.organization_id AND i.channel_id = p.channel_id
        CROSS JOIN LATERAL tidings.engagement_trend_of(
            i.activity, i.response_samples, i.first_message_at, tidings.now()) AS t
        WHERE (i.engagement_trend, i.engagement_change) IS DISTINCT FROM (t.trend, t.change)
        FOR UPDATE OF i SKIP LOCKED
    ), changed AS (
        UPDATE tidings.conversation_intelligence AS i
        SET engagement_trend = s.trend, engagement_change = s.change
        FROM stale AS s
        WHERE i.organization_id = s.organization_id AND i.channel_id = s.channel_id
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM changed), p.last_message_at, p.organization_id, p.channel_id
    FROM page AS p ORDER BY p.last_message_at DESC, p.organization_id DESC, p.channel_id DESC LIMIT 1
$$;
COMMENT ON FUNCTION tidings.refresh_engagement_trends(timestamptz, uuid, uuid, timestamptz, integer) IS
    'Brings the stored trends of the next so many channels, of those with messages in the last 22 days, up to now; how many changed and where the next call goes on, no row at the end.';
SELECT tidings.run_as_system('tidings.refresh_engagement_trends(timestamptz, uuid, uuid, timestamptz, integer)');
