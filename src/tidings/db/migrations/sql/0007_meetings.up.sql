CREATE FUNCTION tidings.domain_path(p_domain text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT string_agg(l.label, '.' ORDER BY l.position DESC)
          FROM unnest(string_to_array(p_domain, '.')) WITH ORDINALITY AS l (label, position));
COMMENT ON FUNCTION tidings.domain_path(text) IS 'A domain with its labels from the right: com.acmecorp.eu.';
GRANT EXECUTE ON FUNCTION tidings.domain_path(text) TO tidings_app, tidings_system, tidings_readonly;

CREATE TABLE tidings.meetings (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    source text NOT NULL CHECK (source IN ('fathom', 'api', 'file')),
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 200),
    title text NOT NULL,
    url text,
    share_url text,
    language text NOT NULL DEFAULT 'en',
    started_at timestamptz NOT NULL,
    duration_seconds integer CHECK (duration_seconds >= 0),
    recorded_by text,
    own_summary text,
    action_items jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(action_items) = 'array'),
    segments_count integer NOT NULL DEFAULT 0 CHECK (segments_count >= 0),
    content_hash bytea NOT NULL,
    item_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, source, external_id)
);
CREATE INDEX meetings_by_time ON tidings.meetings (organization_id, started_at DESC, id DESC);
SELECT tidings.protect_tenant('tidings.meetings');
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.meetings TO tidings_app;
GRANT SELECT ON tidings.meetings TO tidings_readonly;
COMMENT ON TABLE tidings.meetings IS
    'A meeting as its source tells it. Retention: kept until the organization deletes it.';
COMMENT ON COLUMN tidings.meetings.external_id IS 'The id at the source; one row per (organization, source, external_id).';
COMMENT ON COLUMN tidings.meetings.content_hash IS 'SHA-256 over what a reading depends on; findings are kept per hash.';
COMMENT ON COLUMN tidings.meetings.item_hash IS 'SHA-256 over all that is stored of it; a delivery with the same one changes nothing.';
COMMENT ON COLUMN tidings.meetings.own_summary IS 'The summary that came with the meeting, as Markdown.';
COMMENT ON COLUMN tidings.meetings.action_items IS 'The action items that came with the meeting, in Fathom''s shape.';

CREATE TABLE tidings.meeting_invitees (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    meeting_id uuid NOT NULL,
    position integer NOT NULL,
    name text NOT NULL DEFAULT '',
    email text,
    email_domain text,
    domain_path text COLLATE "C",
    is_external boolean,
    speaker_name text,
    PRIMARY KEY (organization_id, meeting_id, position),
    FOREIGN KEY (organization_id, meeting_id)
        REFERENCES tidings.meetings (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX meeting_invitees_by_domain ON tidings.meeting_invitees (organization_id, domain_path, meeting_id);
SELECT tidings.protect_tenant('tidings.meeting_invitees');
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.meeting_invitees TO tidings_app;
GRANT SELECT ON tidings.meeting_invitees TO tidings_readonly, tidings_system;
CREATE POLICY system_read ON tidings.meeting_invitees FOR SELECT TO tidings_system USING (true);
COMMENT ON TABLE tidings.meeting_invitees IS
    'Who was invited to a meeting. Retention: goes with its meeting.';
COMMENT ON COLUMN tidings.meeting_invitees.email IS 'As the source sent it.';
COMMENT ON COLUMN tidings.meeting_invitees.domain_path IS
    'The domain''s labels from the right (com.acmecorp.eu), so that subdomains are one range of the index.';

CREATE TABLE tidings.meeting_segments (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    meeting_id uuid NOT NULL,
    id uuid NOT NULL,
    position integer NOT NULL,
    speaker text NOT NULL DEFAULT '',
    speaker_email text,
    at_seconds integer CHECK (at_seconds >= 0),
    text text NOT NULL CHECK (text <> ''),
    search tsvector NOT NULL,
    PRIMARY KEY (organization_id, meeting_id, id),
    FOREIGN KEY (organization_id, meeting_id)
        REFERENCES tidings.meetings (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX meeting_segments_in_order ON tidings.meeting_segments (organization_id, meeting_id, position);
CREATE INDEX meeting_segments_search ON tidings.meeting_segments USING gin (search);
SELECT tidings.protect_tenant('tidings.meeting_segments');
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.meeting_segments TO tidings_app;
GRANT SELECT ON tidings.meeting_segments TO tidings_readonly, tidings_system;
CREATE POLICY system_read ON tidings.meeting_segments FOR SELECT TO tidings_system USING (true);
COMMENT ON TABLE tidings.meeting_segments IS
    'One utterance of a transcript. Retention: goes with its meeting.';
COMMENT ON COLUMN tidings.meeting_segments.id IS 'Stays the same while the utterance does, so that evidence keeps pointing at it.';
COMMENT ON COLUMN tidings.meeting_segments.at_seconds IS 'Seconds from the start of the recording.';

CREATE TABLE tidings.companies (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    domain text COLLATE "C" NOT NULL,
    last_meeting_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, domain)
);
CREATE INDEX companies_by_time ON tidings.companies (organization_id, last_meeting_at DESC, domain DESC);
SELECT tidings.protect_tenant('tidings.companies');
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.companies TO tidings_app;
GRANT SELECT ON tidings.companies TO tidings_readonly;
COMMENT ON TABLE tidings.companies IS
    'The domains of invitees from outside the organization. Retention: kept while it has meetings.';

CREATE TABLE tidings.meeting_findings (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    meeting_id uuid NOT NULL,
    engine text NOT NULL,
    prompt_version text NOT NULL,
    content_hash bytea NOT NULL,
    reading jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, meeting_id, engine, prompt_version),
    FOREIGN KEY (organization_id, meeting_id)
        REFERENCES tidings.meetings (organization_id, id) ON DELETE CASCADE
);
SELECT tidings.protect_tenant('tidings.meeting_findings');
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.meeting_findings TO tidings_app;
COMMENT ON TABLE tidings.meeting_findings IS
    'What an engine read in a meeting: made once per content, engine and prompt. Retention: goes with its meeting.';

CREATE TABLE tidings.fathom_syncs (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    domain text COLLATE "C" NOT NULL,
    synced_at timestamptz NOT NULL,
    newest_created_at timestamptz,
    PRIMARY KEY (organization_id, domain)
);
SELECT tidings.protect_tenant('tidings.fathom_syncs');
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.fathom_syncs TO tidings_app;
COMMENT ON TABLE tidings.fathom_syncs IS
    'When a company''s meetings were last fetched from Fathom. Retention: one row per company.';

CREATE TABLE tidings.meeting_hooks (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES tidings.users (id),
    token_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    revoked_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
SELECT tidings.protect('tidings.meeting_hooks');
CREATE POLICY admins_only ON tidings.meeting_hooks TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY system_read ON tidings.meeting_hooks FOR SELECT TO tidings_system USING (true);
GRANT SELECT, INSERT, UPDATE ON tidings.meeting_hooks TO tidings_app;
GRANT SELECT ON tidings.meeting_hooks TO tidings_system;
COMMENT ON TABLE tidings.meeting_hooks IS
    'Addresses that Fathom posts new meetings to; the token is stored hashed. Retention: kept, revoked ones too, as a record.';

CREATE TABLE tidings.hook_deliveries (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    hook_id uuid NOT NULL,
    delivery_id text NOT NULL CHECK (length(delivery_id) BETWEEN 1 AND 255),
    received_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, hook_id, delivery_id),
    FOREIGN KEY (organization_id, hook_id)
        REFERENCES tidings.meeting_hooks (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX hook_deliveries_by_time ON tidings.hook_deliveries (received_at);
SELECT tidings.protect_tenant('tidings.hook_deliveries');
CREATE POLICY system_all ON tidings.hook_deliveries TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON tidings.hook_deliveries TO tidings_app;
GRANT SELECT, DELETE ON tidings.hook_deliveries TO tidings_system;
COMMENT ON TABLE tidings.hook_deliveries IS
    'The webhook ids already taken in, so that a repeat changes nothing. Retention: 30 days (sweep_hook_deliveries_v1).';

CREATE FUNCTION tidings.find_meeting_hook_v1(p_token_hash bytea)
RETURNS TABLE (organization_id uuid, hook_id uuid, user_id uuid)
LANGUAGE sql STABLE
AS $$
    SELECT h.organization_id, h.id, h.user_id
      FROM tidings.meeting_hooks h
     WHERE h.token_hash = p_token_hash AND h.revoked_at IS NULL
$$;
COMMENT ON FUNCTION tidings.find_meeting_hook_v1(bytea) IS
    'Whose address a webhook token is: the look-up that comes before any tenant is known.';
SELECT tidings.run_as_system('tidings.find_meeting_hook_v1(bytea)');

CREATE FUNCTION tidings.sweep_hook_deliveries_v1(p_max integer) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    swept integer;
BEGIN
    DELETE FROM tidings.hook_deliveries d
     WHERE (d.organization_id, d.hook_id, d.delivery_id) IN (
        SELECT o.organization_id, o.hook_id, o.delivery_id FROM tidings.hook_deliveries o
         WHERE o.received_at < tidings.now() - interval '30 days' LIMIT p_max);
    GET DIAGNOSTICS swept = ROW_COUNT;
    RETURN swept;
END
$$;
COMMENT ON FUNCTION tidings.sweep_hook_deliveries_v1(integer) IS 'Removes at most p_max delivery ids older than 30 days.';
SELECT tidings.run_as_system('tidings.sweep_hook_deliveries_v1(integer)');

-- `@@` is not leakproof, so under row security it would skip the GIN index: the search runs as
-- tidings_system with the organization as an explicit predicate.
CREATE FUNCTION tidings.search_segments_v1(p_query text, p_language regconfig, p_path text, p_subdomains boolean, p_max integer)
RETURNS TABLE (meeting_id uuid, segment_id uuid, speaker text, at_seconds integer, snippet text, rank real)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    asked tsquery := pg_catalog.websearch_to_tsquery(p_language, p_query);
    tenant uuid := tidings.current_organization();
BEGIN
    RETURN QUERY
    WITH hits AS MATERIALIZED (
        SELECT s.meeting_id, s.id, s.speaker, s.at_seconds, s.text, pg_catalog.ts_rank_cd(s.search, asked) AS score
          FROM tidings.meeting_segments s
         WHERE s.organization_id = tenant AND s.search @@ asked
           AND (p_path IS NULL OR EXISTS (
               SELECT FROM tidings.meeting_invitees i
                WHERE i.organization_id = tenant AND i.meeting_id = s.meeting_id
                  AND (i.domain_path = p_path
                       OR (p_subdomains AND i.domain_path >= p_path || '.' AND i.domain_path < p_path || '/'))))
         ORDER BY score DESC, s.id
         LIMIT p_max
    )
    SELECT h.meeting_id, h.id, h.speaker, h.at_seconds,
           pg_catalog.ts_headline(p_language, h.text, asked,
               'StartSel=' || chr(57344) || ', StopSel=' || chr(57345) || ', MaxFragments=1, MaxWords=28, MinWords=12'),
           h.score
      FROM hits h
     ORDER BY h.score DESC, h.id;
END
$$;
COMMENT ON FUNCTION tidings.search_segments_v1(text, regconfig, text, boolean, integer) IS
    'Full-text search over the utterances of the current organization, of the meetings with one company when a domain path is given, best first; hits in the snippet stand between U+E000 and U+E001.';
SELECT tidings.run_as_system('tidings.search_segments_v1(text, regconfig, text, boolean, integer)');
