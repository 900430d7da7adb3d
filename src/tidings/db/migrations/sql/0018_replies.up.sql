-- Rules that answer messages, the log of what they did, and how far each channel was considered.

CREATE TABLE tidings.message_auto_responses (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    rule_type text NOT NULL CHECK (rule_type IN ('smart_reply', 'rule_based', 'out_of_office', 'template')),
    enabled boolean NOT NULL DEFAULT true,
    enabled_at timestamptz NOT NULL DEFAULT tidings.now(),
    trigger_conditions jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(trigger_conditions) = 'object'),
    response_template text NOT NULL DEFAULT '' CHECK (char_length(response_template) <= 5000),
    ai_customize boolean NOT NULL DEFAULT false,
    priority integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1000000 AND 1000000),
    action text NOT NULL DEFAULT 'draft' CHECK (action IN ('draft', 'send')),
    cooldown integer NOT NULL DEFAULT 3600 CHECK (cooldown BETWEEN 60 AND 2592000),
    timezone text NOT NULL DEFAULT 'UTC' CHECK (char_length(timezone) BETWEEN 1 AND 64),
    away_from date,
    away_until date,
    times_triggered bigint NOT NULL DEFAULT 0 CHECK (times_triggered >= 0),
    last_triggered_at timestamptz,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, user_id)
        REFERENCES tidings.organization_members (organization_id, user_id) ON DELETE CASCADE,
    CONSTRAINT message_auto_responses_time_range CHECK (
        coalesce(jsonb_typeof(trigger_conditions -> 'timeRange'), 'null') = 'null'
        OR coalesce(
            trigger_conditions #>> '{timeRange,start}' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
            AND trigger_conditions #>> '{timeRange,end}' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
            AND trigger_conditions #>> '{timeRange,start}' <> trigger_conditions #>> '{timeRange,end}', false)),
    CONSTRAINT message_auto_responses_proposes CHECK (rule_type <> 'smart_reply' OR action = 'draft'),
    CONSTRAINT message_auto_responses_says_something CHECK (rule_type = 'smart_reply' OR response_template <> ''),
    CONSTRAINT message_auto_responses_away CHECK (
        CASE WHEN rule_type = 'out_of_office' THEN away_from IS NULL OR away_until IS NULL OR away_from <= away_until
        ELSE away_from IS NULL AND away_until IS NULL END)
) WITH (fillfactor = 80);
CREATE INDEX message_auto_responses_by_priority
    ON tidings.message_auto_responses (organization_id, user_id, priority DESC, created_at, id);
CREATE INDEX message_auto_responses_enabled
    ON tidings.message_auto_responses (organization_id, user_id, priority DESC, created_at, id) WHERE enabled;
CREATE INDEX message_auto_responses_conditions
    ON tidings.message_auto_responses USING gin (trigger_conditions jsonb_path_ops);
COMMENT ON TABLE tidings.message_auto_responses IS
    'Who answers what by itself: a person''s rules, seen and changed by them alone, read by the services. Retention: kept until its owner deletes it or leaves the organization.';
COMMENT ON COLUMN tidings.message_auto_responses.enabled_at IS
    'When it was made, or turned on last: what was taken in before is not answered, however long it waited.';
COMMENT ON COLUMN tidings.message_auto_responses.priority IS 'Higher first; of two alike the one made first.';
COMMENT ON COLUMN tidings.message_auto_responses.cooldown IS 'Seconds in which one sender gets no second reply of this rule; never under a minute.';
COMMENT ON COLUMN tidings.message_auto_responses.timezone IS 'IANA zone in which dates and times of the rule and of its text are meant.';
COMMENT ON COLUMN tidings.message_auto_responses.away_until IS 'The last day away, in the rule''s zone.';
COMMENT ON COLUMN tidings.message_auto_responses.times_triggered IS 'Replies and proposals made; counted by the log''s trigger.';
COMMENT ON COLUMN tidings.message_auto_responses.version IS 'Counts what its owner changes; triggering does not count.';

CREATE TABLE tidings.message_auto_response_log (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    rule_name text NOT NULL CHECK (char_length(rule_name) BETWEEN 1 AND 200),
    channel_id uuid NOT NULL,
    message_id uuid NOT NULL,
    sender_id text NOT NULL CHECK (char_length(sender_id) BETWEEN 1 AND 320),
    outcome text NOT NULL CHECK (outcome IN ('drafted', 'sent', 'proposed', 'stopped')),
    guard text CHECK (guard IN ('automatic', 'own', 'old', 'answered', 'covered', 'cooldown', 'rate', 'loop',
        'do_not_contact', 'undeliverable')),
    response_text text CHECK (char_length(response_text) <= 10000),
    proposals jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(proposals) = 'array'),
    matched jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(matched) = 'array'),
    ai_customized boolean NOT NULL DEFAULT false,
    ai_note text CHECK (char_length(ai_note) <= 200),
    approval_id uuid,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, user_id, message_id),
    FOREIGN KEY (organization_id, user_id)
        REFERENCES tidings.organization_members (organization_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, message_id) REFERENCES tidings.messages (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT message_auto_response_log_stopped_by CHECK ((outcome = 'stopped') = (guard IS NOT NULL)),
    CONSTRAINT message_auto_response_log_replied_with CHECK (
        (outcome IN ('drafted', 'sent')) = (approval_id IS NOT NULL AND response_text IS NOT NULL))
);
CREATE INDEX message_auto_response_log_by_owner
    ON tidings.message_auto_response_log (organization_id, user_id, created_at DESC, id DESC);
CREATE INDEX message_auto_response_log_by_rule
    ON tidings.message_auto_response_log (organization_id, rule_id, created_at DESC, id DESC);
CREATE INDEX message_auto_response_log_replied
    ON tidings.message_auto_response_log (organization_id, user_id, sender_id, created_at DESC)
    WHERE outcome IN ('drafted', 'sent');
CREATE INDEX message_auto_response_log_by_outcome
    ON tidings.message_auto_response_log (organization_id, user_id, outcome, created_at DESC, id DESC);
CREATE INDEX message_auto_response_log_by_message
    ON tidings.message_auto_response_log (organization_id, message_id);
CREATE INDEX message_auto_response_log_by_channel
    ON tidings.message_auto_response_log (organization_id, channel_id);
CREATE INDEX message_auto_response_log_by_age ON tidings.message_auto_response_log (created_at);
COMMENT ON TABLE tidings.message_auto_response_log IS
    'What became of each message that a rule matched, one row for each owner of rules; never changed, and written by the services alone. Retention: 400 days.';
COMMENT ON COLUMN tidings.message_auto_response_log.rule_id IS
    'The rule that matched first. No foreign key: what happened stays true when the rule is deleted.';
COMMENT ON COLUMN tidings.message_auto_response_log.guard IS
    'Why nothing was said although the rule matched; covered: one reply answers a burst of messages.';
COMMENT ON COLUMN tidings.message_auto_response_log.ai_customized IS
    'Whether the text was really personalised; ai_note says by which engine, or why it was not.';
COMMENT ON COLUMN tidings.message_auto_response_log.matched IS '[{kind, why}]: the conditions that matched.';

CREATE TABLE tidings.auto_response_positions (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    channel_id uuid NOT NULL,
    position bigint NOT NULL CHECK (position >= 0),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, channel_id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
COMMENT ON TABLE tidings.auto_response_positions IS
    'Up to which position of a channel messages were considered. Retention: goes with its channel.';

DO $$
DECLARE
    held text;
BEGIN
    FOREACH held IN ARRAY ARRAY['message_auto_responses', 'message_auto_response_log', 'auto_response_positions'] LOOP
        PERFORM tidings.protect(format('tidings.%I', held)::regclass);
        EXECUTE format('CREATE POLICY system_all ON tidings.%I TO tidings_system USING (true) WITH CHECK (true)', held);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.%I TO tidings_system', held);
    END LOOP;
END
$$;

-- Rules: read and written by their owner, read by the services. An admin is nobody here.
GRANT SELECT, DELETE,
    INSERT (organization_id, id, user_id, name, rule_type, enabled, trigger_conditions, response_template, ai_customize,
        priority, action, cooldown, timezone, away_from, away_until),
    UPDATE (name, rule_type, enabled, enabled_at, trigger_conditions, response_template, ai_customize, priority, action, cooldown,
        timezone, away_from, away_until, version, updated_at)
    ON tidings.message_auto_responses TO tidings_app;
CREATE POLICY own_select ON tidings.message_auto_responses FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service()) OR user_id = (SELECT tidings.acting_user())));
CREATE POLICY own_insert ON tidings.message_auto_responses FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user())
        AND (SELECT tidings.may_write()));
CREATE POLICY own_update ON tidings.message_auto_responses FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user())
        AND (SELECT tidings.may_write()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user())
        AND (SELECT tidings.may_write()));
CREATE POLICY own_delete ON tidings.message_auto_responses FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user())
        AND (SELECT tidings.may_write()));

GRANT SELECT, INSERT ON tidings.message_auto_response_log TO tidings_app;
GRANT SELECT ON tidings.message_auto_response_log TO tidings_readonly;
CREATE POLICY own_select ON tidings.message_auto_response_log FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.is_service()) OR user_id = (SELECT tidings.acting_user())));
CREATE POLICY service_insert ON tidings.message_auto_response_log FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service()));

GRANT SELECT, INSERT, UPDATE ON tidings.auto_response_positions TO tidings_app;
CREATE POLICY service_select ON tidings.auto_response_positions FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service()));
CREATE POLICY service_insert ON tidings.auto_response_positions FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service()));
CREATE POLICY service_update ON tidings.auto_response_positions FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service()));

CREATE FUNCTION tidings.keep_auto_response_log() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'The log of auto-responses is never changed.' USING ERRCODE = 'TD409';
END
$$;
COMMENT ON FUNCTION tidings.keep_auto_response_log() IS 'Refuses every change of the log, whoever asks; rows go by age or with what they belong to.';
CREATE TRIGGER keep_auto_response_log BEFORE UPDATE ON tidings.message_auto_response_log
    FOR EACH STATEMENT EXECUTE FUNCTION tidings.keep_auto_response_log();

CREATE FUNCTION tidings.count_auto_responses() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE tidings.message_auto_responses AS r SET
        times_triggered = r.times_triggered + made.times,
        last_triggered_at = greatest(r.last_triggered_at, made.last_at)
    FROM (SELECT l.organization_id, l.rule_id, count(*) AS times, max(l.created_at) AS last_at
          FROM logged AS l WHERE l.outcome <> 'stopped' GROUP BY l.organization_id, l.rule_id) AS made
    WHERE r.organization_id = made.organization_id AND r.id = made.rule_id;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.count_auto_responses()');
COMMENT ON FUNCTION tidings.count_auto_responses() IS 'Counts on each rule what the log says it did, once a statement.';
CREATE TRIGGER count_auto_responses AFTER INSERT ON tidings.message_auto_response_log
    REFERENCING NEW TABLE AS logged FOR EACH STATEMENT EXECUTE FUNCTION tidings.count_auto_responses();

CREATE FUNCTION tidings.our_addresses_v1(p_addresses text[]) RETURNS text[]
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(array_agg(DISTINCT lower(u.email)), '{}')
    FROM unnest(p_addresses) AS a (address)
    JOIN tidings.users AS u ON lower(u.email) = lower(a.address)
    JOIN tidings.organization_members AS o
        ON o.organization_id = tidings.current_organization() AND o.user_id = u.id
$$;
SELECT tidings.run_as_system('tidings.our_addresses_v1(text[])');
COMMENT ON FUNCTION tidings.our_addresses_v1(text[]) IS
    'Which of the addresses are of members, in lower case. Runs as the system because row security would keep the index on addresses from being used.';

-- A reply that may leave is weighed as sending weighs it.
GRANT EXECUTE ON FUNCTION tidings.is_answered(uuid, uuid, uuid) TO tidings_app;

-- Each claim: {user_id, rule_id, message_id, sender_id, sender_email, cooldown, proposes}. What only proposes to a person says
-- nothing to the sender: of the guards, answered, covered and rate are its.
CREATE FUNCTION tidings.auto_reply_guards_v1(p_claims jsonb, p_at timestamptz)
RETURNS TABLE (user_id uuid, message_id uuid, guard text)
LANGUAGE sql STABLE
AS $$
    WITH judged AS (
        SELECT c.user_id, c.message_id, c.sender_id, c.proposes, m.position, CASE
            WHEN EXISTS (SELECT FROM tidings.message_auto_response_log AS l
                WHERE l.organization_id = m.organization_id AND l.user_id = c.user_id AND l.message_id = m.id)
            THEN 'repeated'
            WHEN tidings.is_answered(m.organization_id, m.id, '00000000-0000-0000-0000-000000000000') THEN 'answered'
            WHEN c.proposes THEN NULL
            WHEN tidings.is_do_not_contact(m.organization_id, tidings.normalise_contact(c.sender_id))
                OR tidings.is_do_not_contact(m.organization_id, tidings.normalise_contact(c.sender_email))
                OR tidings.is_do_not_contact(m.organization_id, tidings.normalise_contact(m.answer_to))
            THEN 'do_not_contact'
            WHEN EXISTS (SELECT FROM tidings.message_auto_response_log AS l
                WHERE l.organization_id = m.organization_id AND l.user_id = c.user_id AND l.sender_id = c.sender_id
                    AND l.outcome IN ('drafted', 'sent') AND l.channel_id = m.channel_id
                    AND l.created_at > p_at - interval '1 minute')
            THEN 'covered'
            WHEN EXISTS (SELECT FROM tidings.message_auto_response_log AS l
                WHERE l.organization_id = m.organization_id AND l.user_id = c.user_id AND l.sender_id = c.sender_id
                    AND l.outcome IN ('drafted', 'sent') AND l.rule_id = c.rule_id
                    AND l.created_at > p_at - make_interval(secs => c.cooldown))
            THEN 'cooldown'
            -- A machine whose messages nothing marks, and whose answers take longer than the cooldown.
            WHEN 5 = (SELECT count(*) FILTER (WHERE NOT tidings.is_answered(r.organization_id, r.message_id, r.approval_id))
                FROM (SELECT l.organization_id, l.message_id, l.approval_id
                    FROM tidings.message_auto_response_log AS l
                    JOIN tidings.approvals AS a ON a.organization_id = l.organization_id AND a.id = l.approval_id
                        AND a.decided_by IN ('rule', 'policy') AND a.status IN ('approved', 'sending', 'sent')
                    WHERE l.organization_id = m.organization_id AND l.user_id = c.user_id AND l.sender_id = c.sender_id
                        AND l.outcome IN ('drafted', 'sent') AND l.channel_id = m.channel_id
                        AND l.created_at > p_at - interval '30 days'
                    ORDER BY l.created_at DESC LIMIT 5) AS r)
            THEN 'loop' END AS guard
        FROM jsonb_to_recordset(p_claims) AS c (user_id uuid, rule_id uuid, message_id uuid, sender_id text,
            sender_email text, cooldown integer, proposes boolean)
        JOIN tidings.messages AS m
            ON m.organization_id = tidings.current_organization() AND m.id = c.message_id),
    -- Of a burst the newest that may be answered is.
    newest AS (
        SELECT j.user_id, j.message_id, j.proposes, j.position, coalesce(j.guard, CASE WHEN j.position < max(j.position)
            FILTER (WHERE j.guard IS NULL) OVER (PARTITION BY j.user_id, j.sender_id, j.proposes) THEN 'covered' END) AS guard
        FROM judged AS j),
    said AS (
        SELECT l.user_id, l.outcome = 'proposed' AS proposes, count(*) AS replies
        FROM tidings.message_auto_response_log AS l
        WHERE l.organization_id = tidings.current_organization() AND l.outcome IN ('drafted', 'sent', 'proposed')
            AND l.user_id IN (SELECT n.user_id FROM newest AS n) AND l.created_at > p_at - interval '1 minute'
        GROUP BY 1, 2)
    SELECT n.user_id, n.message_id, coalesce(n.guard, CASE WHEN coalesce(s.replies, 0) + row_number() OVER (
        PARTITION BY n.user_id, n.proposes, n.guard IS NULL ORDER BY n.position) > 10 THEN 'rate' END)
    FROM newest AS n LEFT JOIN said AS s ON s.user_id = n.user_id AND s.proposes = n.proposes
$$;
COMMENT ON FUNCTION tidings.auto_reply_guards_v1(jsonb, timestamptz) IS
    'For each reply that a rule would make: the guard that stops it at that moment, or null. one to a burst and a minute of a sender in a channel, one in the rule''s cooldown, 10 a minute and user, 5 on end that nobody else answered.';
GRANT EXECUTE ON FUNCTION tidings.auto_reply_guards_v1(jsonb, timestamptz) TO tidings_app, tidings_system;

CREATE FUNCTION tidings.claim_auto_replies_v1(p_channel uuid, p_from bigint, p_to bigint, p_claims jsonb)
RETURNS TABLE (user_id uuid, message_id uuid, guard text, claimed_at timestamptz)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    organization CONSTANT uuid := tidings.current_organization();
    moment timestamptz;
BEGIN
    INSERT INTO tidings.auto_response_positions AS p (organization_id, channel_id, position)
    VALUES (organization, p_channel, p_to)
    ON CONFLICT (organization_id, channel_id)
        DO UPDATE SET position = excluded.position, updated_at = tidings.now() WHERE p.position = p_from;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Another worker considered these messages.' USING ERRCODE = 'TD409';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(format('auto_replies:%s:%s', organization, o.user_id), 0))
    FROM (SELECT DISTINCT c.user_id FROM jsonb_to_recordset(p_claims) AS c (user_id uuid) ORDER BY c.user_id) AS o;
    -- Who waited for the lock began before what was logged meanwhile: its moment is not before theirs.
    SELECT greatest(tidings.now(), max(newest.created_at)) INTO moment
    FROM (SELECT DISTINCT c.user_id FROM jsonb_to_recordset(p_claims) AS c (user_id uuid)) AS o
    CROSS JOIN LATERAL (SELECT l.created_at FROM tidings.message_auto_response_log AS l
        WHERE l.organization_id = organization AND l.user_id = o.user_id
        ORDER BY l.created_at DESC LIMIT 1) AS newest;
    RETURN QUERY SELECT g.user_id, g.message_id, g.guard, moment FROM tidings.auto_reply_guards_v1(p_claims, moment) AS g;
END
$$;
COMMENT ON FUNCTION tidings.claim_auto_replies_v1(uuid, bigint, bigint, jsonb) IS
    'Moves a channel from one position to the next, once, and says which of the replies may be made: exact, because their owners are locked until the log is committed.';
GRANT EXECUTE ON FUNCTION tidings.claim_auto_replies_v1(uuid, bigint, bigint, jsonb) TO tidings_app;

CREATE FUNCTION tidings.sweep_auto_responses_v1(p_age interval, p_most integer) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    removed bigint;
BEGIN
    DELETE FROM tidings.message_auto_response_log WHERE ctid = ANY (ARRAY(
        SELECT l.ctid FROM tidings.message_auto_response_log AS l WHERE l.created_at <= tidings.now() - p_age
        ORDER BY l.created_at LIMIT p_most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
SELECT tidings.run_as_system('tidings.sweep_auto_responses_v1(interval, integer)');
COMMENT ON FUNCTION tidings.sweep_auto_responses_v1(interval, integer) IS 'Deletes log rows past their age, up to so many; returns how many.';
