-- Nothing leaves but from an approval. The table holds the states; one function checks everything and claims.

ALTER TABLE tidings.api_keys
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_scopes_check CHECK (scopes <@ ARRAY[
        'read', 'write', 'kv', 'meetings', 'messages', 'engagement', 'approvals', 'admin']);

CREATE FUNCTION tidings.punycode(label text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    digits CONSTANT text := 'abcdefghijklmnopqrstuvwxyz0123456789';
    points CONSTANT integer[] := ARRAY(
        SELECT ascii(c.one) FROM string_to_table(label, NULL) WITH ORDINALITY AS c (one, place) ORDER BY c.place);
    plain CONSTANT text := regexp_replace(label, '[^\x01-\x7f]', '', 'g');
    said text := CASE plain WHEN '' THEN '' ELSE plain || '-' END;
    handled bigint := char_length(plain);
    lowest bigint := 128;
    bias bigint := 72;
    delta bigint := 0;
    higher bigint;
    point integer;
    q bigint;
    k bigint;
    t bigint;
BEGIN
    WHILE handled < cardinality(points) LOOP
        SELECT min(p.point) INTO higher FROM unnest(points) AS p (point) WHERE p.point >= lowest;
        delta := delta + (higher - lowest) * (handled + 1);
        lowest := higher;
        FOREACH point IN ARRAY points LOOP
            IF point < lowest THEN
                delta := delta + 1;
            ELSIF point = lowest THEN
                q := delta;
                k := 36;
                LOOP
                    t := least(greatest(k - bias, 1), 26);
                    EXIT WHEN q < t;
                    said := said || substr(digits, (t + (q - t) % (36 - t) + 1)::integer, 1);
                    q := (q - t) / (36 - t);
                    k := k + 36;
                END LOOP;
                said := said || substr(digits, (q + 1)::integer, 1);
                delta := delta / CASE WHEN handled = char_length(plain) THEN 700 ELSE 2 END;
                handled := handled + 1;
                delta := delta + delta / handled;
                k := 0;
                WHILE delta > 455 LOOP
                    delta := delta / 35;
                    k := k + 36;
                END LOOP;
                bias := k + 36 * delta / (delta + 38);
                delta := 0;
            END IF;
        END LOOP;
        delta := delta + 1;
        lowest := lowest + 1;
    END LOOP;
    RETURN 'xn--' || said;
END
$$;
COMMENT ON FUNCTION tidings.punycode(text) IS 'A label beyond ASCII as DNS has it (RFC 3492 section 6.3).';

CREATE FUNCTION tidings.ascii_domain(domain text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT string_agg(
        CASE WHEN l.label ~ '[^\x01-\x7f]' THEN tidings.punycode(l.label) ELSE l.label END, '.' ORDER BY l.place)
    FROM string_to_table(translate(normalize(lower(normalize(domain, NFKC)), NFKC), '。', '.'), '.')
        WITH ORDINALITY AS l (label, place));
COMMENT ON FUNCTION tidings.ascii_domain(text) IS 'A domain as DNS has it, so that each has one spelling.';

CREATE FUNCTION tidings.normalise_contact(address text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN regexp_replace(address, '[\s().\-/]', '', 'g') ~ '^(\+|00)?[1-9][0-9]{7,14}$'
        THEN '+' || regexp_replace(regexp_replace(address, '[\s().\-/]', '', 'g'), '^(\+|00)', '')
    WHEN address ~ '@[^@]*[^\x01-\x7f][^@]*$'
        THEN lower(normalize(substring(btrim(address) FROM '^.*@'), NFC))
            || tidings.ascii_domain(substring(btrim(address) FROM '[^@]*$'))
    ELSE lower(btrim(address))
END;
COMMENT ON FUNCTION tidings.normalise_contact(text) IS
    'How addresses are compared: a number as E.164, anything else trimmed and in lower case, domains as DNS has them.';

CREATE FUNCTION tidings.domains_of(contact text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT coalesce(array_agg(array_to_string(h.labels[n:], '.')), '{}')
    FROM (SELECT string_to_array(substring(contact FROM '@([^@]+)$'), '.') AS labels) AS h
    CROSS JOIN LATERAL generate_series(1, cardinality(h.labels) - 1) AS n);
COMMENT ON FUNCTION tidings.domains_of(text) IS
    'The domain of an e-mail address and those above it: mail.acme.com, acme.com; none for anything else.';

CREATE FUNCTION tidings.approval_digest(
    type text, channel text, recipient text, subject text, content text, lead_id uuid, message_id uuid,
    channel_id uuid, is_automatic boolean
) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(convert_to(jsonb_build_array(
    type, channel, recipient, subject, content, lead_id, message_id, channel_id, is_automatic)::text, 'UTF8'));
COMMENT ON FUNCTION tidings.approval_digest(text, text, text, text, text, uuid, uuid, uuid, boolean) IS
    'SHA-256 of exactly what leaves and to whom; an approval is worth what has this digest and nothing else.';

CREATE FUNCTION tidings.are_send_limits(limits jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_typeof(limits) = 'object' AND NOT EXISTS (
    SELECT FROM jsonb_each(limits) AS l
    WHERE jsonb_typeof(l.value) <> 'object'
        OR NOT (l.value ?& ARRAY['per_hour', 'per_day', 'gap_seconds'])
        OR NOT (l.value ->> 'per_hour' ~ '^[0-9]{1,6}$' AND l.value ->> 'per_day' ~ '^[0-9]{1,6}$'
            AND l.value ->> 'gap_seconds' ~ '^[0-9]{1,5}$'));
COMMENT ON FUNCTION tidings.are_send_limits(jsonb) IS
    'Whether this is {channel: {per_hour, per_day, gap_seconds}} with whole numbers.';

GRANT EXECUTE ON FUNCTION
    tidings.punycode(text), tidings.ascii_domain(text), tidings.normalise_contact(text), tidings.domains_of(text),
    tidings.are_send_limits(jsonb),
    tidings.approval_digest(text, text, text, text, text, uuid, uuid, uuid, boolean)
TO tidings_app, tidings_system;

-- The send policy -------------------------------------------------------------------------------

CREATE TABLE tidings.send_policies (
    organization_id uuid PRIMARY KEY REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    approval_required boolean NOT NULL DEFAULT true,
    automation text NOT NULL DEFAULT 'assisted' CHECK (automation IN ('manual', 'assisted', 'guarded', 'full')),
    guard jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(guard) = 'object'),
    daily_cap integer NOT NULL DEFAULT 150 CHECK (daily_cap BETWEEN 0 AND 1000000),
    hours_start smallint NOT NULL DEFAULT 480 CHECK (hours_start >= 0),
    hours_end smallint NOT NULL DEFAULT 1080 CHECK (hours_end <= 1440),
    replies_any_hour boolean NOT NULL DEFAULT false,
    limits jsonb NOT NULL DEFAULT '{
        "email": {"per_hour": 50, "per_day": 500, "gap_seconds": 30},
        "whatsapp": {"per_hour": 20, "per_day": 150, "gap_seconds": 180},
        "sms": {"per_hour": 20, "per_day": 150, "gap_seconds": 180},
        "telegram": {"per_hour": 30, "per_day": 200, "gap_seconds": 120},
        "linkedin": {"per_hour": 5, "per_day": 25, "gap_seconds": 600},
        "facebook": {"per_hour": 5, "per_day": 25, "gap_seconds": 600}}' CHECK (tidings.are_send_limits(limits)),
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    CHECK (hours_start < hours_end)
);
SELECT tidings.protect('tidings.send_policies');
CREATE POLICY tenant_select ON tidings.send_policies FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY admin_update ON tidings.send_policies FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY system_all ON tidings.send_policies TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON tidings.send_policies TO tidings_app;
GRANT SELECT, INSERT, UPDATE ON tidings.send_policies TO tidings_system;
COMMENT ON TABLE tidings.send_policies IS
    'When and how much an organization sends; its row is the lock under which sends are claimed. Retention: one row for each organization.';
COMMENT ON COLUMN tidings.send_policies.approval_required IS 'Off: what is drafted is approved by the policy at once.';
COMMENT ON COLUMN tidings.send_policies.automation IS
    'manual: a person decides on everything, rules included; assisted: machines draft, and rules send that were told to; guarded: what meets every condition of guard is approved too; full: every draft of a machine is.';
COMMENT ON COLUMN tidings.send_policies.guard IS
    'Conditions of guarded, all of which must hold: {channels: [..], replies_only: bool, least_score: 0-100}. Empty: nothing is approved.';
COMMENT ON COLUMN tidings.send_policies.hours_start IS 'Minutes since midnight in the organization''s zone, inclusive.';
COMMENT ON COLUMN tidings.send_policies.hours_end IS 'Minutes since midnight in the organization''s zone, exclusive.';
COMMENT ON COLUMN tidings.send_policies.replies_any_hour IS 'Whether automatic answers to a message may leave outside the hours.';
COMMENT ON COLUMN tidings.send_policies.limits IS
    'By channel: {per_hour, per_day, gap_seconds}; a channel that is not named has none but the daily cap.';

INSERT INTO tidings.send_policies (organization_id) SELECT id FROM tidings.organizations;
CREATE FUNCTION tidings.open_send_policy() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO tidings.send_policies (organization_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.open_send_policy() IS 'Gives a new organization the default send policy.';
SELECT tidings.run_as_system('tidings.open_send_policy()');
REVOKE EXECUTE ON FUNCTION tidings.open_send_policy() FROM tidings_app;
CREATE TRIGGER organizations_open_send_policy AFTER INSERT ON tidings.organizations FOR EACH ROW
    EXECUTE FUNCTION tidings.open_send_policy();

CREATE TABLE tidings.send_slots (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    approval_id uuid NOT NULL,
    attempt smallint NOT NULL CHECK (attempt > 0),
    channel text NOT NULL,
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, approval_id, attempt)
);
CREATE INDEX send_slots_by_time ON tidings.send_slots (organization_id, taken_at, channel);
SELECT tidings.protect('tidings.send_slots');
CREATE POLICY tenant_select ON tidings.send_slots FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY system_all ON tidings.send_slots TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.send_slots TO tidings_app;
-- UPDATE for the sweep's row locks.
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.send_slots TO tidings_system;
COMMENT ON TABLE tidings.send_slots IS
    'Each send that was claimed, for the limits: counted under the lock of send_policies, given back when nothing left. Retention: 3 days.';

-- Do not contact --------------------------------------------------------------------------------

CREATE TABLE tidings.do_not_contact (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('email', 'phone', 'domain', 'handle')),
    value text NOT NULL CHECK (char_length(value) BETWEEN 1 AND 320),
    reason text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 500),
    source text NOT NULL DEFAULT 'person' CHECK (source IN ('person', 'unsubscribe', 'opt_out', 'import')),
    message_id uuid,
    asked_at timestamptz,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, kind, value),
    CHECK (CASE kind
        WHEN 'email' THEN value ~ '^[^@\s]+@[^@\s]+$' AND value = tidings.normalise_contact(value)
        WHEN 'phone' THEN value ~ '^\+[1-9][0-9]{6,14}$'
        WHEN 'domain' THEN value ~ '^[a-z0-9-]+(\.[a-z0-9-]+)+$'
        ELSE value = tidings.normalise_contact(value) END)
);
CREATE INDEX do_not_contact_by_time ON tidings.do_not_contact (organization_id, created_at, kind, value);
SELECT tidings.protect_tenant('tidings.do_not_contact');
CREATE POLICY admins_remove ON tidings.do_not_contact AS RESTRICTIVE FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY system_all ON tidings.do_not_contact TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON tidings.do_not_contact TO tidings_app;
GRANT SELECT, INSERT, DELETE ON tidings.do_not_contact TO tidings_system;
COMMENT ON TABLE tidings.do_not_contact IS
    'Whom nothing is sent to, whatever was approved. Retention: kept until an admin removes it.';
COMMENT ON COLUMN tidings.do_not_contact.kind IS
    'email, phone (E.164), domain (with those below it), or handle: an id of any other channel.';
COMMENT ON COLUMN tidings.do_not_contact.message_id IS
    'The message that asked for it. No foreign key: what somebody asked holds when the message is gone.';
COMMENT ON COLUMN tidings.do_not_contact.asked_at IS 'When they sent that, which may be long before it was taken in.';

CREATE FUNCTION tidings.is_do_not_contact(organization uuid, contact text) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        SELECT FROM tidings.do_not_contact AS d
        WHERE d.organization_id = organization AND d.kind IN ('email', 'phone', 'handle') AND d.value = contact)
    OR EXISTS (
        SELECT FROM tidings.do_not_contact AS d
        WHERE d.organization_id = organization AND d.kind = 'domain' AND d.value = ANY (tidings.domains_of(contact)))
$$;
COMMENT ON FUNCTION tidings.is_do_not_contact(uuid, text) IS 'Whether a normalised address, or its domain, is on do-not-contact.';
GRANT EXECUTE ON FUNCTION tidings.is_do_not_contact(uuid, text) TO tidings_app, tidings_system;

CREATE TABLE tidings.unsubscribe_links (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    contact text NOT NULL CHECK (char_length(contact) BETWEEN 1 AND 320),
    token text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')
        CHECK (char_length(token) = 64),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, contact)
);
SELECT tidings.protect('tidings.unsubscribe_links');
CREATE POLICY system_all ON tidings.unsubscribe_links TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON tidings.unsubscribe_links TO tidings_system;
COMMENT ON TABLE tidings.unsubscribe_links IS
    'The link in mail to an address by which it leaves us; read by functions alone. Retention: kept with the organization, for a link works as long as the mail is there.';

-- Approvals -------------------------------------------------------------------------------------

CREATE TABLE tidings.approvals (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    type text NOT NULL CHECK (type IN ('message', 'email', 'call', 'meeting')),
    channel text NOT NULL CHECK (channel IN (
        'email', 'chat', 'slack', 'whatsapp', 'sms', 'telegram', 'linkedin', 'facebook', 'phone', 'web', 'webhook', 'other')),
    recipient text NOT NULL CHECK (char_length(recipient) BETWEEN 1 AND 320 AND recipient !~ '[\x01-\x1f\x7f]'),
    contact text NOT NULL DEFAULT '',
    subject text NOT NULL DEFAULT '' CHECK (char_length(subject) <= 500 AND subject !~ '[\x01-\x1f\x7f]'),
    content text NOT NULL CHECK (char_length(content) BETWEEN 1 AND 100000),
    lead_id uuid,
    message_id uuid,
    channel_id uuid,
    rule_id uuid,
    is_automatic boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 2000),
    evidence jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(evidence) = 'array'),
    ai_score smallint CHECK (ai_score BETWEEN 0 AND 100),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN (
        'pending', 'approved', 'sending', 'sent', 'failed', 'rejected', 'expired', 'cancelled', 'opened', 'sent_manual')),
    digest bytea NOT NULL DEFAULT '',
    approved_digest bytea,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_by uuid DEFAULT tidings.acting_user(),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    decided_by text CHECK (decided_by IN ('person', 'rule', 'policy')),
    reviewed_by uuid,
    reviewed_at timestamptz,
    expires_at timestamptz,
    next_attempt_at timestamptz,
    waits_for text CHECK (waits_for IN ('hours', 'daily_cap', 'day_limit', 'hour_limit', 'gap', 'retry')),
    attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    tries smallint NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND attempts),
    attempt_log jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(attempt_log) = 'array'),
    first_attempt_at timestamptz,
    is_repeatable boolean NOT NULL DEFAULT false,
    lease_token uuid,
    lease_until timestamptz,
    idempotency_key uuid,
    outcome text CHECK (outcome IN (
        'person', 'expired', 'do_not_contact', 'answered', 'changed', 'refused', 'temporary', 'unknown')),
    problem text NOT NULL DEFAULT '' CHECK (char_length(problem) <= 2000),
    provider_id text CHECK (char_length(provider_id) <= 1000),
    sent_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES tidings.channels (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, message_id) REFERENCES tidings.messages (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT approvals_reply_in_channel CHECK (message_id IS NULL OR channel_id IS NOT NULL),
    CONSTRAINT approvals_mail_to_an_address CHECK (
        channel <> 'email' OR recipient ~ '^[^\s@<>,;:"()\\]+@[^\s@<>,;:"()\\]+$'),
    CONSTRAINT approvals_lease_while_sending CHECK (
        (status = 'sending') = (lease_token IS NOT NULL) AND (status = 'sending') = (lease_until IS NOT NULL)),
    CONSTRAINT approvals_key_once_sending CHECK (status NOT IN ('sending', 'sent') OR idempotency_key IS NOT NULL),
    CONSTRAINT approvals_due_while_approved CHECK ((status = 'approved') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT approvals_digest_of_what_was_approved CHECK (
        (approved_digest IS NOT NULL) = (decided_by IS NOT NULL AND status <> 'rejected')
        AND (status NOT IN ('approved', 'sending', 'sent', 'failed', 'opened', 'sent_manual') OR approved_digest IS NOT NULL)),
    CONSTRAINT approvals_decided CHECK (
        (decided_by IS NOT NULL) = (reviewed_at IS NOT NULL)
        AND (status NOT IN ('pending', 'expired') OR decided_by IS NULL) AND (status <> 'rejected' OR decided_by = 'person')),
    CONSTRAINT approvals_sent_at CHECK ((status IN ('sent', 'sent_manual')) = (sent_at IS NOT NULL)),
    CONSTRAINT approvals_outcome CHECK (
        (status NOT IN ('failed', 'cancelled') OR outcome IS NOT NULL) AND (status <> 'sent' OR outcome IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX approvals_by_status ON tidings.approvals (organization_id, status, id DESC);
CREATE INDEX approvals_by_way ON tidings.approvals (organization_id, channel, id DESC);
CREATE INDEX approvals_open_by_contact ON tidings.approvals (organization_id, contact)
    WHERE status IN ('pending', 'approved', 'opened');
CREATE INDEX approvals_by_message ON tidings.approvals (organization_id, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX approvals_by_channel ON tidings.approvals (organization_id, channel_id) WHERE channel_id IS NOT NULL;
CREATE INDEX approvals_due ON tidings.approvals (next_attempt_at)
    WHERE status = 'approved' AND channel NOT IN ('linkedin', 'facebook', 'phone');
CREATE INDEX approvals_leased ON tidings.approvals (lease_until) WHERE status = 'sending';
CREATE INDEX approvals_ageing ON tidings.approvals (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
SELECT tidings.protect('tidings.approvals');
CREATE POLICY member_select ON tidings.approvals FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND (channel_id IS NULL OR (SELECT tidings.is_service()) OR channel_id = ANY ((SELECT tidings.my_channels())::uuid[])));
CREATE POLICY member_insert ON tidings.approvals FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write())
        AND (channel_id IS NULL OR (SELECT tidings.is_service()) OR channel_id = ANY ((SELECT tidings.my_channels())::uuid[])));
CREATE POLICY member_update ON tidings.approvals FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write())
        AND (channel_id IS NULL OR (SELECT tidings.is_service()) OR channel_id = ANY ((SELECT tidings.my_channels())::uuid[])))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write())
        AND (channel_id IS NULL OR (SELECT tidings.is_service()) OR channel_id = ANY ((SELECT tidings.my_channels())::uuid[])));
CREATE POLICY system_all ON tidings.approvals TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON tidings.approvals TO tidings_app;
GRANT SELECT, INSERT, UPDATE ON tidings.approvals TO tidings_system;
COMMENT ON TABLE tidings.approvals IS
    'An outgoing message before and after its decision: nothing leaves but from here. What answers in a channel is seen by the channel''s members. Retention: kept until the organization deletes the channel, else with the organization.';
COMMENT ON COLUMN tidings.approvals.contact IS 'The recipient as do-not-contact compares it, set by trigger.';
COMMENT ON COLUMN tidings.approvals.message_id IS 'The message that it answers; a person''s answer meanwhile cancels it.';
COMMENT ON COLUMN tidings.approvals.digest IS 'approval_digest of the row, set by trigger.';
COMMENT ON COLUMN tidings.approvals.approved_digest IS 'The digest at the moment of approval.';
COMMENT ON COLUMN tidings.approvals.next_attempt_at IS 'Not before; waits_for says why.';
COMMENT ON COLUMN tidings.approvals.tries IS 'Attempts since it was approved or a person asked for another go.';
COMMENT ON COLUMN tidings.approvals.is_repeatable IS
    'Whether the way it left takes our idempotency key, so that a send without an answer may be repeated.';
COMMENT ON COLUMN tidings.approvals.attempt_log IS 'What each try came to: [{attempt, at, outcome, detail}], the oldest first.';
COMMENT ON COLUMN tidings.approvals.outcome IS
    'Why it was cancelled (person, expired, do_not_contact, answered, changed) or failed (refused, temporary, unknown).';

CREATE FUNCTION tidings.may_become(from_status text, to_status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN from_status = to_status OR (from_status, to_status) IN (
    ('pending', 'approved'), ('pending', 'rejected'), ('pending', 'expired'), ('pending', 'cancelled'),
    ('approved', 'pending'), ('approved', 'sending'), ('approved', 'cancelled'), ('approved', 'opened'),
    ('sending', 'sent'), ('sending', 'failed'), ('sending', 'approved'),
    ('failed', 'approved'), ('opened', 'sent_manual'), ('opened', 'cancelled'));
COMMENT ON FUNCTION tidings.may_become(text, text) IS
    'The moves of an approval. approved to pending is an edit, sending to approved another try, failed to approved a person''s retry.';
GRANT EXECUTE ON FUNCTION tidings.may_become(text, text) TO tidings_app, tidings_system;

CREATE FUNCTION tidings.digest_of(a tidings.approvals) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN tidings.approval_digest(
    a.type, a.channel, a.recipient, a.subject, a.content, a.lead_id, a.message_id, a.channel_id, a.is_automatic);
COMMENT ON FUNCTION tidings.digest_of(tidings.approvals) IS 'approval_digest of a row.';
GRANT EXECUTE ON FUNCTION tidings.digest_of(tidings.approvals) TO tidings_app, tidings_system;

CREATE FUNCTION tidings.answers_elsewhere(organization uuid, answered uuid, contact text) RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT m.sender_email FROM tidings.messages AS m
    WHERE m.organization_id = organization AND m.id = answered
        AND substring(contact FROM '@([^@]+)$')
            <> substring(tidings.normalise_contact(m.sender_email) FROM '@([^@]+)$')
$$;
COMMENT ON FUNCTION tidings.answers_elsewhere(uuid, uuid, text) IS
    'The sender of a message, where what answers it goes to an address of another domain; else null.';
GRANT EXECUTE ON FUNCTION tidings.answers_elsewhere(uuid, uuid, text) TO tidings_app, tidings_system;

CREATE FUNCTION tidings.begin_approval() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    policy tidings.send_policies;
    by_machine boolean := tidings.is_service();
    decided text;
BEGIN
    IF NEW.status NOT IN ('pending', 'approved') OR NEW.attempts <> 0 THEN
        RAISE EXCEPTION 'An approval begins pending.' USING ERRCODE = 'TD409';
    END IF;
    IF NEW.message_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM tidings.messages AS m
        WHERE m.organization_id = NEW.organization_id AND m.id = NEW.message_id AND m.channel_id = NEW.channel_id) THEN
        RAISE EXCEPTION 'There is no such message in this channel.' USING ERRCODE = 'TD404';
    END IF;
    IF NEW.status = 'approved' AND NOT by_machine THEN
        RAISE EXCEPTION 'What a person drafts is approved in a step of its own.' USING ERRCODE = 'TD403';
    END IF;
    NEW.digest := tidings.digest_of(NEW);
    NEW.contact := tidings.normalise_contact(NEW.recipient);
    SELECT p.* INTO policy FROM tidings.send_policies AS p WHERE p.organization_id = NEW.organization_id;
    IF NEW.status = 'approved' AND policy.automation <> 'manual' THEN
        decided := 'rule';
    ELSIF NOT policy.approval_required OR (by_machine AND (policy.automation = 'full' OR (
        policy.automation = 'guarded' AND policy.guard <> '{}'
        AND (policy.guard -> 'channels' IS NULL OR policy.guard -> 'channels' ? NEW.channel)
        AND (policy.guard ->> 'replies_only' IS DISTINCT FROM 'true' OR NEW.message_id IS NOT NULL)
        AND (policy.guard ->> 'least_score' IS NULL OR NEW.ai_score >= (policy.guard ->> 'least_score')::integer)))) THEN
        decided := 'policy';
    END IF;
    -- Reply-To is how frauds and those who want others flooded redirect answers: a person looks at it.
    IF decided IS NOT NULL AND NEW.message_id IS NOT NULL
        AND tidings.answers_elsewhere(NEW.organization_id, NEW.message_id, NEW.contact) IS NOT NULL THEN
        decided := NULL;
    END IF;
    NEW.status := CASE WHEN decided IS NULL THEN 'pending' ELSE 'approved' END;
    NEW.decided_by := decided;
    NEW.reviewed_by := NULL;
    NEW.reviewed_at := CASE WHEN decided IS NOT NULL THEN tidings.now() END;
    NEW.next_attempt_at := NEW.reviewed_at;
    NEW.approved_digest := CASE WHEN decided IS NOT NULL THEN NEW.digest END;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION tidings.begin_approval() IS
    'A draft begins pending, or approved where a rule said so or the policy lets it, but for an answer to another domain than its message came from; nobody drafts anything further on.';
REVOKE EXECUTE ON FUNCTION tidings.begin_approval() FROM PUBLIC;
CREATE TRIGGER begin_approval BEFORE INSERT ON tidings.approvals FOR EACH ROW EXECUTE FUNCTION tidings.begin_approval();

CREATE FUNCTION tidings.hold_approval() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    is_edit boolean;
BEGIN
    IF NOT tidings.may_become(OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'What is % cannot become %.', OLD.status, NEW.status USING ERRCODE = 'TD409';
    END IF;
    NEW.digest := tidings.digest_of(NEW);
    NEW.contact := tidings.normalise_contact(NEW.recipient);
    is_edit := NEW.digest <> tidings.digest_of(OLD);
    IF is_edit AND (NEW.status <> 'pending' OR OLD.status NOT IN ('pending', 'approved')) THEN
        RAISE EXCEPTION 'Changed content has to be approved again.' USING ERRCODE = 'TD409';
    END IF;
    IF is_edit AND OLD.attempt_log @> '[{"outcome": "unknown"}]' THEN
        RAISE EXCEPTION 'It may have left already: another text would be a second message. Cancel it and draft a new one.'
            USING ERRCODE = 'TD409';
    END IF;
    -- Only claim and settle, which run as tidings_system, send.
    IF (NEW.status IN ('sending', 'sent', 'failed', 'opened') OR OLD.status = 'sending' OR NEW.attempts <> OLD.attempts
            OR NEW.attempt_log <> OLD.attempt_log OR NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key
            OR NEW.first_attempt_at IS DISTINCT FROM OLD.first_attempt_at)
        AND current_user NOT IN ('tidings_system', 'tidings_owner') THEN
        RAISE EXCEPTION 'Only a claimed approval is sent.' USING ERRCODE = 'TD403';
    END IF;
    IF is_edit THEN
        -- Another text is another message: a receiver of the old one must not take it for a repeat.
        NEW.idempotency_key := NULL;
        NEW.first_attempt_at := NULL;
    END IF;
    IF NEW.status = 'approved' AND OLD.status = 'pending' THEN
        NEW.approved_digest := NEW.digest;
    ELSIF NEW.status = 'pending' THEN
        NEW.approved_digest := NULL;
        NEW.decided_by := NULL;
        NEW.reviewed_by := NULL;
        NEW.reviewed_at := NULL;
        NEW.next_attempt_at := NULL;
        NEW.waits_for := NULL;
    ELSIF NEW.approved_digest IS DISTINCT FROM OLD.approved_digest THEN
        RAISE EXCEPTION 'What was approved stays what it was.' USING ERRCODE = 'TD409';
    END IF;
    NEW.updated_at := tidings.now();
    -- Being put off is no change that a person's edit could miss.
    NEW.version := OLD.version + CASE WHEN is_edit OR NEW.status <> OLD.status OR NEW.reason <> OLD.reason
        OR NEW.expires_at IS DISTINCT FROM OLD.expires_at THEN 1 ELSE 0 END;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION tidings.hold_approval() IS
    'Holds the moves of an approval, the digest of what was approved, and that only claimed ones are sent.';
REVOKE EXECUTE ON FUNCTION tidings.hold_approval() FROM PUBLIC;
CREATE TRIGGER hold_approval BEFORE UPDATE ON tidings.approvals FOR EACH ROW EXECUTE FUNCTION tidings.hold_approval();

CREATE FUNCTION tidings.cancel_unwanted() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    -- Locked in the order of ids, as decisions on many are.
    UPDATE tidings.approvals AS a
    SET status = 'cancelled', outcome = 'do_not_contact', next_attempt_at = NULL, waits_for = NULL
    FROM (
        SELECT w.id FROM tidings.approvals AS w
        WHERE w.organization_id = NEW.organization_id AND w.status IN ('pending', 'approved', 'opened')
            AND CASE WHEN NEW.kind = 'domain' THEN NEW.value = ANY (tidings.domains_of(w.contact)) ELSE w.contact = NEW.value END
        ORDER BY w.id FOR UPDATE) AS unwanted
    WHERE a.organization_id = NEW.organization_id AND a.id = unwanted.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.cancel_unwanted() IS 'Who is put on do-not-contact gets nothing that was still waiting, nor what a person had opened to send by hand.';
SELECT tidings.run_as_system('tidings.cancel_unwanted()');
REVOKE EXECUTE ON FUNCTION tidings.cancel_unwanted() FROM tidings_app;
CREATE TRIGGER cancel_unwanted AFTER INSERT ON tidings.do_not_contact
    FOR EACH ROW EXECUTE FUNCTION tidings.cancel_unwanted();

-- Live ------------------------------------------------------------------------------------------

CREATE FUNCTION tidings.announce_approvals() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.publish_for_v1(c.organization_id, 'approvals' || coalesce(':' || c.channel_id, ''), 'changed',
        jsonb_build_object('count', count(*), 'items', jsonb_path_query_array(
            jsonb_agg(jsonb_build_object('id', c.id, 'status', c.status)), '$[0 to 99]')))
    FROM changed AS c GROUP BY c.organization_id, c.channel_id;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.announce_approvals()');
REVOKE EXECUTE ON FUNCTION tidings.announce_approvals() FROM tidings_app;
COMMENT ON FUNCTION tidings.announce_approvals() IS
    'Publishes every move to `approvals`, of answers in a channel to `approvals:CHANNEL`: {count, items: [{id, status}]}, at most 100 items.';
CREATE TRIGGER announce_new AFTER INSERT ON tidings.approvals
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tidings.announce_approvals();
CREATE TRIGGER announce_moves AFTER UPDATE ON tidings.approvals
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tidings.announce_approvals();

-- Opting out ------------------------------------------------------------------------------------

CREATE FUNCTION tidings.plain_words(said text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(
    regexp_replace(lower(translate(said, '’', chr(39))), '^[^[:alnum:]]+|[^[:alnum:]]+$', '', 'g'), '[\s,]+', ' ', 'g');
COMMENT ON FUNCTION tidings.plain_words(text) IS 'A line in lower case, without what stands around its words.';
GRANT EXECUTE ON FUNCTION tidings.plain_words(text) TO tidings_app, tidings_system;

CREATE FUNCTION tidings.is_opt_out(kind text, subject text, body text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    -- Alone they say it; with more behind them they say something else.
    words CONSTANT text := '^(please |pls )?(stop([ -]?all)?|stop (now|this|please)|stopp|arrêt|arret|alto|baja)'
        '( please| thanks| thank you)?$';
    -- As the first line they say it, whatever comes behind.
    phrases CONSTANT text := '^((please|pls|kindly|bitte) )?('
        'unsubscribe( me)?( (from|off) .{1,60})?|opt[ -]?out|opt me out|remove me( from .{1,60})?|take me off .{1,60}'
        '|(stop|quit) (contacting|emailing|e-mailing|mailing|texting|messaging|calling|writing( to)?|sending)( me)?'
        '( (any|these|those|your|such|more))*( (e-?mails?|messages?|texts?|newsletters?|sms))?'
        '|(do not|don.?t|never) (contact|e-?mail|mail|text|message|call|write( to)?) me( again| any ?more| ever)?'
        '|abmelden|abbestellen|(mich )?austragen|keine (weiteren )?(e-?mails|nachrichten)( mehr)?'
        '|(me )?désabonner|désinscription|désinscrire|dar(me)? de baja|cancelar (la )?suscripción|disiscrivimi|afmelden'
        ')( please| bitte| thanks| thank you| asap| now| immediately)*$';
    own text;
    first_line text;
BEGIN
    IF char_length(subject) <= 100 AND tidings.plain_words(subject) ~ phrases THEN
        RETURN true;
    END IF;
    own := ltrim(replace(left(body, 2000), E'\r', ''), E' \n\t');
    first_line := split_part(own, E'\n', 1);
    IF char_length(first_line) > 100 THEN
        RETURN false;
    END IF;
    first_line := tidings.plain_words(first_line);
    IF first_line ~ phrases THEN
        RETURN true;
    ELSIF NOT first_line ~ words AND NOT (kind IN ('sms', 'whatsapp') AND first_line ~ '^(cancel|end|quit|revoke)$') THEN
        RETURN false;
    END IF;
    -- What is quoted, signed or added by a program is none of their words.
    RETURN substr(own, strpos(own || E'\n', E'\n')) ~ (
        '^\s*($|>|-- ?\n|-{3,}|_{5,}|(On|Am|Le|El|Il|Op) [^\n]{5,200}:\s*(\n|$)'
        '|(Sent from|Von meinem|Gesendet|Get Outlook|Envoyé|Enviado) |(From|Von|De): )');
END
$$;
COMMENT ON FUNCTION tidings.is_opt_out(text, text, text) IS
    'Whether a message in a channel of this kind asks to be written to no more: STOP, unsubscribe and their kin as all that it says, or as its first line where that is plain.';
GRANT EXECUTE ON FUNCTION tidings.is_opt_out(text, text, text) TO tidings_app, tidings_system;

CREATE FUNCTION tidings.heed_opt_outs() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    WITH asked AS (
        SELECT DISTINCT ON (1, 2) n.organization_id, tidings.normalise_contact(w.address) AS contact,
            n.id AS message_id, n.sent_at
        FROM came AS n
        JOIN tidings.channels AS c ON c.organization_id = n.organization_id AND c.id = n.channel_id
        CROSS JOIN LATERAL (VALUES (n.sender_id), (n.sender_email)) AS w (address)
        WHERE n.direction = 'in' AND n.automatic IS NULL AND tidings.is_opt_out(c.kind, n.subject, n.body)
            AND tidings.normalise_contact(w.address) <> ''
            AND NOT EXISTS (
                SELECT FROM tidings.users AS u
                JOIN tidings.organization_members AS o ON o.organization_id = n.organization_id AND o.user_id = u.id
                WHERE lower(u.email) = lower(coalesce(n.sender_email, n.sender_id)))
        ORDER BY 1, 2, n.sent_at DESC, n.id DESC),
    added AS (
        INSERT INTO tidings.do_not_contact (organization_id, kind, value, reason, source, message_id, asked_at)
        SELECT a.organization_id, CASE
            WHEN a.contact ~ '^[^@\s]+@[^@\s]+$' THEN 'email'
            WHEN a.contact ~ '^\+[1-9][0-9]{6,14}$' THEN 'phone'
            ELSE 'handle' END, a.contact, 'They asked so in a message.', 'opt_out', a.message_id, a.sent_at
        FROM asked AS a ORDER BY a.organization_id, a.contact
        ON CONFLICT DO NOTHING
        RETURNING organization_id, kind, value, message_id)
    INSERT INTO tidings.audit_log (organization_id, actor_kind, action, target, payload)
    SELECT d.organization_id, 'service', 'do_not_contact.added', 'do_not_contact:' || d.kind,
        jsonb_build_object('value', d.value, 'source', 'opt_out', 'message_id', d.message_id)
    FROM added AS d;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.heed_opt_outs()');
REVOKE EXECUTE ON FUNCTION tidings.heed_opt_outs() FROM tidings_app;
COMMENT ON FUNCTION tidings.heed_opt_outs() IS
    'Who asks to be written to no more is on do-not-contact with the transaction that takes the message in, and what waits for them is cancelled. Machines and our own members ask nothing.';
CREATE TRIGGER heed_opt_outs AFTER INSERT ON tidings.messages
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION tidings.heed_opt_outs();

-- Gateways: where the channels without a connector of their own leave by a signed webhook ----------

CREATE TABLE tidings.send_gateways (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    channel text NOT NULL CHECK (channel IN ('email', 'chat', 'slack', 'whatsapp', 'sms', 'telegram', 'web', 'webhook', 'other')),
    url text NOT NULL CHECK (url ~ '^https?://' AND char_length(url) <= 2000),
    created_by uuid DEFAULT tidings.acting_user(),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, channel)
);
SELECT tidings.protect('tidings.send_gateways');
CREATE POLICY admin_select ON tidings.send_gateways FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization())
        AND ((SELECT tidings.may_administer()) OR (SELECT tidings.is_service())));
CREATE POLICY admin_insert ON tidings.send_gateways FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY admin_update ON tidings.send_gateways FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY admin_delete ON tidings.send_gateways FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.send_gateways TO tidings_app;
COMMENT ON TABLE tidings.send_gateways IS
    'Where a channel''s messages go by signed webhook; the secret is gateway_secret:CHANNEL of organization_secrets. Retention: kept until an admin removes it.';

-- Claim, settle, rescue -------------------------------------------------------------------------

CREATE INDEX messages_of_people_out ON tidings.messages (organization_id, channel_id, sent_at)
    WHERE direction = 'out' AND automatic IS NULL;

CREATE FUNCTION tidings.is_answered(organization uuid, answered uuid, besides uuid) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        SELECT FROM tidings.messages AS m
        JOIN tidings.messages AS o ON o.organization_id = m.organization_id AND o.thread_id = m.thread_id
            AND o.direction = 'out' AND o.automatic IS NULL
            AND o.sent_at >= m.sent_at AND (o.sent_at, o.position) > (m.sent_at, m.position)
        WHERE m.organization_id = organization AND m.id = answered)
    OR EXISTS (
        SELECT FROM tidings.messages AS m
        -- In no thread, or in one that only our automatic reply made of it.
        CROSS JOIN LATERAL (
            SELECT m.thread_id IS NULL OR NOT EXISTS (
                SELECT FROM tidings.messages AS t
                WHERE t.organization_id = m.organization_id AND t.thread_id = m.thread_id
                    AND t.id <> m.id AND t.automatic IS NULL) AS is_alone OFFSET 0) AS l
        JOIN tidings.messages AS o ON o.organization_id = m.organization_id AND o.channel_id = m.channel_id
            AND o.direction = 'out' AND o.automatic IS NULL
            AND o.sent_at >= m.sent_at AND (o.sent_at, o.position) > (m.sent_at, m.position)
        WHERE m.organization_id = organization AND m.id = answered
            AND ((o.thread_id IS NULL AND l.is_alone AND o.reply_to IS NULL)
                OR EXISTS (
                    SELECT FROM tidings.messages AS s
                    WHERE s.organization_id = m.organization_id AND s.channel_id = m.channel_id
                        AND s.external_id = o.reply_to AND s.sender_id = m.sender_id)))
    OR EXISTS (
        SELECT FROM tidings.approvals AS a
        WHERE a.organization_id = organization AND a.message_id = answered AND a.id <> besides
            AND a.status IN ('sending', 'sent', 'sent_manual'))
$$;
COMMENT ON FUNCTION tidings.is_answered(uuid, uuid, uuid) IS
    'Whether a person answered a message since: by a message out, not automatic, in its thread or to its sender in the channel; or another approval did.';
GRANT EXECUTE ON FUNCTION tidings.is_answered(uuid, uuid, uuid) TO tidings_system;

CREATE FUNCTION tidings.next_send_slot(
    policy tidings.send_policies, zone text, sends_by text, any_hour boolean, moment timestamptz, besides uuid
) RETURNS TABLE (waits_for text, until timestamptz)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    limits jsonb := policy.limits -> sends_by;
    today timestamp := date_trunc('day', moment AT TIME ZONE zone);
    opens timestamptz := (today + policy.hours_start * interval '1 minute') AT TIME ZONE zone;
    closes timestamptz := (today + policy.hours_end * interval '1 minute') AT TIME ZONE zone;
    tomorrow timestamptz := (today + interval '1 day') AT TIME ZONE zone;
    opens_tomorrow timestamptz := CASE WHEN any_hour THEN tomorrow
        ELSE (today + interval '1 day' + policy.hours_start * interval '1 minute') AT TIME ZONE zone END;
    taken_today integer;
    taken_by_channel integer;
    latest timestamptz;
    oldest timestamptz;
    gap interval := (limits ->> 'gap_seconds')::integer * interval '1 second';
    ahead integer;
BEGIN
    IF NOT any_hour AND moment < opens THEN
        RETURN QUERY SELECT 'hours', opens;
    ELSIF NOT any_hour AND moment >= closes THEN
        RETURN QUERY SELECT 'hours', opens_tomorrow;
    END IF;
    SELECT count(*), count(*) FILTER (WHERE s.channel = sends_by) INTO taken_today, taken_by_channel
    FROM tidings.send_slots AS s
    WHERE s.organization_id = policy.organization_id AND s.taken_at >= today AT TIME ZONE zone;
    IF taken_today >= policy.daily_cap THEN
        RETURN QUERY SELECT 'daily_cap', opens_tomorrow;
    END IF;
    IF limits IS NULL THEN
        RETURN;
    END IF;
    IF taken_by_channel >= (limits ->> 'per_day')::integer THEN
        RETURN QUERY SELECT 'day_limit', opens_tomorrow;
    END IF;
    SELECT max(h.taken_at), max(h.taken_at) FILTER (WHERE h.n = (limits ->> 'per_hour')::integer) INTO latest, oldest
    FROM (
        SELECT s.taken_at, row_number() OVER (ORDER BY s.taken_at DESC) AS n FROM tidings.send_slots AS s
        WHERE s.organization_id = policy.organization_id AND s.channel = sends_by
            AND s.taken_at > moment - greatest(interval '1 hour', gap)) AS h
    WHERE h.taken_at > moment - interval '1 hour' OR h.n = 1;
    IF (limits ->> 'per_hour')::integer = 0 THEN
        RETURN QUERY SELECT 'hour_limit', opens_tomorrow;
    ELSIF oldest > moment - interval '1 hour' THEN
        RETURN QUERY SELECT 'hour_limit', oldest + interval '1 hour';
    END IF;
    IF latest + gap > moment THEN
        -- Those that wait for the same gap queue up behind each other.
        SELECT count(*) INTO ahead FROM tidings.approvals AS a
        WHERE a.organization_id = policy.organization_id AND a.status = 'approved' AND a.channel = sends_by
            AND a.waits_for = 'gap' AND a.next_attempt_at > moment AND a.id <> besides;
        RETURN QUERY SELECT 'gap', latest + gap * (1 + ahead);
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.next_send_slot(tidings.send_policies, text, text, boolean, timestamptz, uuid) IS
    'What of the policy is against sending now, and until when; no row: nothing. For whoever holds the lock of send_policies.';
GRANT EXECUTE ON FUNCTION tidings.next_send_slot(tidings.send_policies, text, text, boolean, timestamptz, uuid) TO tidings_system;

CREATE FUNCTION tidings.claim_approval_v1(approval uuid, token uuid, lease interval, repeatable boolean)
RETURNS TABLE (
    verdict text, why text, until timestamptz, type text, channel text, recipient text, subject text, content text,
    is_automatic boolean, attempt smallint, idempotency_key uuid, in_reply_to text, in_references text,
    unsubscribe_token text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz;
    policy tidings.send_policies;
    zone text;
    held tidings.approvals;
    stop text;
    wait record;
    by_hand boolean;
    link text;
BEGIN
    PERFORM tidings.require_writer();
    -- The policy's row is the lock that all workers share: what follows is counted by one at a time.
    SELECT p.* INTO STRICT policy FROM tidings.send_policies AS p WHERE p.organization_id = organization FOR UPDATE;
    SELECT o.time_zone INTO STRICT zone FROM tidings.organizations AS o WHERE o.id = organization;
    SELECT a.* INTO held FROM tidings.approvals AS a
    WHERE a.organization_id = organization AND a.id = approval
        AND (a.channel_id IS NULL OR tidings.is_service() OR a.channel_id = ANY (tidings.my_channels()))
    FOR UPDATE;
    -- Others may have claimed while we waited for the lock, at a time after our transaction began.
    moment := greatest(tidings.now(), (SELECT max(s.taken_at) FROM tidings.send_slots AS s
        WHERE s.organization_id = organization AND s.taken_at < tidings.now() + interval '10 minutes'));
    by_hand := held.channel IN ('linkedin', 'facebook', 'phone');
    IF held.id IS NULL OR held.status <> 'approved' THEN
        RETURN QUERY SELECT 'gone', held.status, NULL::timestamptz, NULL, NULL, NULL, NULL, NULL, NULL::boolean,
            NULL::smallint, NULL::uuid, NULL, NULL, NULL;
        RETURN;
    END IF;
    IF NOT by_hand AND NOT tidings.is_service() THEN
        RAISE EXCEPTION 'Messages are sent by services alone.' USING ERRCODE = 'TD403';
    END IF;
    stop := CASE
        WHEN held.approved_digest IS DISTINCT FROM tidings.digest_of(held) THEN 'changed'
        WHEN held.expires_at <= moment THEN 'expired'
        WHEN tidings.is_do_not_contact(organization, held.contact) OR EXISTS (
            -- Who wants no mail gets none where their own mail asked for it either.
            SELECT FROM tidings.messages AS m
            WHERE m.organization_id = organization AND m.id = held.message_id
                AND tidings.normalise_contact(m.answer_to) = held.contact
                AND tidings.is_do_not_contact(organization, tidings.normalise_contact(m.sender_email)))
        THEN 'do_not_contact'
        WHEN held.message_id IS NOT NULL AND tidings.is_answered(organization, held.message_id, held.id) THEN 'answered'
    END;
    IF stop IS NOT NULL THEN
        UPDATE tidings.approvals AS a SET status = 'cancelled', outcome = stop, next_attempt_at = NULL, waits_for = NULL
        WHERE a.organization_id = organization AND a.id = approval;
        INSERT INTO tidings.audit_log (organization_id, actor_kind, action, target, payload)
        VALUES (organization, 'service', 'approval.cancelled', 'approval:' || approval, jsonb_build_object('outcome', stop));
        RETURN QUERY SELECT 'cancelled', stop, NULL::timestamptz, NULL, NULL, NULL, NULL, NULL, NULL::boolean,
            NULL::smallint, NULL::uuid, NULL, NULL, NULL;
        RETURN;
    END IF;
    SELECT w.waits_for, w.until INTO wait FROM (
        SELECT n.waits_for, n.until FROM tidings.next_send_slot(policy, zone, held.channel,
            policy.replies_any_hour AND held.is_automatic AND held.message_id IS NOT NULL, moment, held.id) AS n
        UNION ALL SELECT held.waits_for, held.next_attempt_at WHERE held.waits_for = 'retry') AS w
    WHERE w.until > moment ORDER BY w.until DESC LIMIT 1;
    IF FOUND THEN
        UPDATE tidings.approvals AS a SET next_attempt_at = wait.until, waits_for = wait.waits_for
        WHERE a.organization_id = organization AND a.id = approval
            AND (a.next_attempt_at, a.waits_for) IS DISTINCT FROM (wait.until, wait.waits_for);
        RETURN QUERY SELECT 'wait', wait.waits_for, wait.until, NULL, NULL, NULL, NULL, NULL, NULL::boolean,
            NULL::smallint, NULL::uuid, NULL, NULL, NULL;
        RETURN;
    END IF;
    UPDATE tidings.approvals AS a SET
        status = CASE WHEN by_hand THEN 'opened' ELSE 'sending' END, attempts = a.attempts + 1, tries = a.tries + 1,
        lease_token = CASE WHEN NOT by_hand THEN token END, lease_until = CASE WHEN NOT by_hand THEN moment + lease END,
        idempotency_key = coalesce(a.idempotency_key, tidings.uuid7()), is_repeatable = repeatable AND NOT by_hand,
        first_attempt_at = coalesce(a.first_attempt_at, moment), next_attempt_at = NULL, waits_for = NULL, outcome = NULL,
        problem = ''
    WHERE a.organization_id = organization AND a.id = approval RETURNING a.* INTO held;
    INSERT INTO tidings.send_slots (organization_id, approval_id, attempt, channel, taken_at)
    VALUES (organization, approval, held.attempts, held.channel, moment);
    IF held.channel = 'email' THEN
        INSERT INTO tidings.unsubscribe_links (organization_id, contact) VALUES (organization, held.contact)
        ON CONFLICT DO NOTHING;
        SELECT l.token INTO link FROM tidings.unsubscribe_links AS l
        WHERE l.organization_id = organization AND l.contact = held.contact;
    END IF;
    RETURN QUERY SELECT CASE WHEN by_hand THEN 'opened' ELSE 'claimed' END, NULL::text, held.lease_until, held.type, held.channel,
        held.recipient, held.subject, held.content, held.is_automatic, held.attempts, held.idempotency_key, m.external_id,
        m.reply_to, link
    FROM (SELECT 1) AS one
    LEFT JOIN tidings.messages AS m ON m.organization_id = organization AND m.id = held.message_id;
END
$$;
COMMENT ON FUNCTION tidings.claim_approval_v1(uuid, uuid, interval, boolean) IS
    'The one way out: checks status, digest, expiry, do-not-contact, answers meanwhile and the policy, and claims; or says why not and until when. What a person sends by hand is opened instead.';
SELECT tidings.run_as_system('tidings.claim_approval_v1(uuid, uuid, interval, boolean)');

CREATE FUNCTION tidings.settle_approval_v1(
    approval uuid, token uuid, result text, detail text, provider text, not_before timestamptz
) RETURNS TABLE (status text, next_attempt_at timestamptz)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    pauses CONSTANT interval[] := ARRAY['5 minutes', '15 minutes', '1 hour', '4 hours']::interval[];
    held tidings.approvals;
    may_have_left boolean;
    again timestamptz;
    became text;
BEGIN
    IF NOT tidings.is_service() THEN
        RAISE EXCEPTION 'Messages are sent by services alone.' USING ERRCODE = 'TD403';
    END IF;
    IF result = 'sent' THEN
        -- The reply goes into its channel along with this: the channel's lock first, as for all that take messages in.
        PERFORM FROM tidings.channels AS c
        WHERE c.organization_id = organization AND c.id = (
            SELECT a.channel_id FROM tidings.approvals AS a WHERE a.organization_id = organization AND a.id = approval)
        FOR NO KEY UPDATE;
    END IF;
    SELECT a.* INTO held FROM tidings.approvals AS a
    WHERE a.organization_id = organization AND a.id = approval AND a.status = 'sending' AND a.lease_token = token
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    may_have_left := result = 'unknown' OR held.attempt_log @> '[{"outcome": "unknown"}]';
    IF result = 'temporary'
        OR (result = 'unknown' AND held.is_repeatable AND moment < held.first_attempt_at + interval '24 hours') THEN
        again := greatest(moment + pauses[held.tries], not_before);
    END IF;
    became := CASE WHEN result = 'sent' THEN 'sent' WHEN again IS NOT NULL THEN 'approved' ELSE 'failed' END;
    UPDATE tidings.approvals AS a SET
        status = became, lease_token = NULL, lease_until = NULL, next_attempt_at = again,
        waits_for = CASE WHEN again IS NOT NULL THEN 'retry' END, provider_id = coalesce(left(provider, 1000), a.provider_id),
        outcome = CASE WHEN became = 'failed' THEN CASE WHEN may_have_left THEN 'unknown' ELSE result END END,
        problem = CASE WHEN result = 'sent' THEN '' ELSE left(detail, 2000) END,
        sent_at = CASE WHEN became = 'sent' THEN moment END,
        attempt_log = a.attempt_log || jsonb_build_object(
            'attempt', a.attempts, 'at', moment, 'outcome', result, 'detail', left(detail, 500))
    WHERE a.organization_id = organization AND a.id = approval;
    IF became <> 'approved' THEN
        INSERT INTO tidings.audit_log (organization_id, actor_kind, action, target, payload)
        VALUES (organization, 'service', 'approval.' || became, 'approval:' || approval,
            jsonb_build_object('outcome', result, 'provider_id', left(provider, 1000)));
    END IF;
    IF result IN ('temporary', 'refused') THEN
        DELETE FROM tidings.send_slots AS s
        WHERE s.organization_id = organization AND s.approval_id = approval AND s.attempt = held.attempts;
    END IF;
    RETURN QUERY SELECT became, again;
END
$$;
COMMENT ON FUNCTION tidings.settle_approval_v1(uuid, uuid, text, text, text, timestamptz) IS
    'Notes what a claimed send came to: sent, temporary (again after 5 min, 15 min, 1 h, 4 h, then failed), refused or unknown. No row: the lease was lost.';
SELECT tidings.run_as_system('tidings.settle_approval_v1(uuid, uuid, text, text, text, timestamptz)');

CREATE FUNCTION tidings.due_approvals_v1(most integer)
RETURNS TABLE (organization_id uuid, id uuid, user_id uuid, due_at timestamptz)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := tidings.now();
BEGIN
    -- A sender that died: repeated where the other side takes our key, else for a person to look at.
    UPDATE tidings.approvals AS a SET
        status = CASE WHEN ended.again THEN 'approved' ELSE 'failed' END, lease_token = NULL, lease_until = NULL,
        next_attempt_at = CASE WHEN ended.again THEN moment END, outcome = CASE WHEN NOT ended.again THEN 'unknown' END,
        problem = 'The sender ended without an answer; it may have left.',
        attempt_log = a.attempt_log || jsonb_build_object(
            'attempt', a.attempts, 'at', moment, 'outcome', 'unknown', 'detail', 'The sender ended without an answer.')
    FROM (
        SELECT l.organization_id, l.id, l.is_repeatable AND moment < l.first_attempt_at + interval '24 hours' AS again
        FROM tidings.approvals AS l WHERE l.status = 'sending' AND l.lease_until <= moment
        ORDER BY l.lease_until LIMIT most FOR UPDATE SKIP LOCKED) AS ended
    WHERE a.organization_id = ended.organization_id AND a.id = ended.id;
    UPDATE tidings.approvals AS a SET status = 'expired'
    FROM (
        SELECT l.organization_id, l.id FROM tidings.approvals AS l WHERE l.status = 'pending' AND l.expires_at <= moment
        ORDER BY l.expires_at LIMIT most FOR UPDATE SKIP LOCKED) AS old
    WHERE a.organization_id = old.organization_id AND a.id = old.id;
    RETURN QUERY SELECT a.organization_id, a.id, coalesce(a.reviewed_by, a.created_by), a.next_attempt_at
    FROM tidings.approvals AS a
    WHERE a.status = 'approved' AND a.channel NOT IN ('linkedin', 'facebook', 'phone') AND a.next_attempt_at <= moment
    ORDER BY a.next_attempt_at LIMIT most;
END
$$;
COMMENT ON FUNCTION tidings.due_approvals_v1(integer) IS
    'For the schedule: ends leases that ran out and pending ones past their time, and lists what is due to be sent, of every organization.';
SELECT tidings.run_as_system('tidings.due_approvals_v1(integer)');

CREATE FUNCTION tidings.sweep_send_slots_v1(most integer) RETURNS bigint
LANGUAGE sql
AS $$
    WITH old AS (
        DELETE FROM tidings.send_slots AS s WHERE (s.organization_id, s.approval_id, s.attempt) IN (
            SELECT o.organization_id, o.approval_id, o.attempt FROM tidings.send_slots AS o
            WHERE o.taken_at < tidings.now() - interval '3 days' LIMIT most FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    SELECT count(*) FROM old
$$;
COMMENT ON FUNCTION tidings.sweep_send_slots_v1(integer) IS 'Forgets some slots that no limit counts any more.';
SELECT tidings.run_as_system('tidings.sweep_send_slots_v1(integer)');

CREATE FUNCTION tidings.find_unsubscribe_v1(link text) RETURNS TABLE (contact text, organization text, is_done boolean)
LANGUAGE sql STABLE
AS $$
    SELECT l.contact, o.name, tidings.is_do_not_contact(l.organization_id, l.contact)
    FROM tidings.unsubscribe_links AS l JOIN tidings.organizations AS o ON o.id = l.organization_id
    WHERE l.token = link
$$;
COMMENT ON FUNCTION tidings.find_unsubscribe_v1(text) IS 'Whose mail a link ends, and to which address.';
SELECT tidings.run_as_system('tidings.find_unsubscribe_v1(text)');

CREATE FUNCTION tidings.unsubscribe_v1(link text) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    found_link tidings.unsubscribe_links;
BEGIN
    SELECT l.* INTO found_link FROM tidings.unsubscribe_links AS l WHERE l.token = link;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO tidings.do_not_contact (organization_id, kind, value, reason, source)
    VALUES (found_link.organization_id, 'email', found_link.contact, 'Unsubscribed by the link in a message.', 'unsubscribe')
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        INSERT INTO tidings.audit_log (organization_id, actor_kind, action, target, payload)
        VALUES (found_link.organization_id, 'service', 'do_not_contact.added', 'do_not_contact:email',
            jsonb_build_object('value', found_link.contact, 'source', 'unsubscribe'));
    END IF;
    RETURN found_link.contact;
END
$$;
COMMENT ON FUNCTION tidings.unsubscribe_v1(text) IS
    'One click (RFC 8058): puts the address of a link on do-not-contact, which cancels what waits; null for no such link. Again changes nothing.';
SELECT tidings.run_as_system('tidings.unsubscribe_v1(text)');
