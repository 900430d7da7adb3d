-- name: lock_meetings
-- Lets one transaction at a time change which meetings an organization has.
SELECT pg_advisory_xact_lock(hashtextextended(
    'meetings:' || tidings.current_organization()::text, 0)) IS NULL AS locked

-- name: known_meetings
-- The meetings of a source that are stored already: what they looked like and whom they were with.
SELECT m.external_id, m.id, m.item_hash,
       ARRAY(SELECT DISTINCT i.email_domain FROM tidings.meeting_invitees i
              WHERE i.organization_id = m.organization_id AND i.meeting_id = m.id
                AND i.email_domain IS NOT NULL) AS domains
  FROM tidings.meetings m
 WHERE m.organization_id = tidings.current_organization()
   AND m.source = %(source)s AND m.external_id = ANY(%(external_ids)s)

-- name: known_segments
-- The utterances of meetings that are about to change, in order.
SELECT s.meeting_id, s.id, s.speaker, s.at_seconds, s.text
  FROM tidings.meeting_segments s
 WHERE s.organization_id = tidings.current_organization() AND s.meeting_id = ANY(%(meeting_ids)s)
 ORDER BY s.meeting_id, s.position

-- name: upsert_meetings
-- Stores meetings, new and changed ones alike.
INSERT INTO tidings.meetings AS m (organization_id, id, source, external_id, title, url, share_url,
    language, started_at, duration_seconds, recorded_by, own_summary, action_items, segments_count, content_hash,
    item_hash)
SELECT tidings.current_organization(), r.id, r.source, r.external_id, r.title, r.url, r.share_url,
       r.language, r.started_at, r.duration_seconds, r.recorded_by, r.own_summary, r.action_items,
       r.segments_count, decode(r.content_hash, 'hex'), decode(r.item_hash, 'hex')
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (id uuid, source text, external_id text, title text, url text,
       share_url text, language text, started_at timestamptz, duration_seconds integer, recorded_by text,
       own_summary text, action_items jsonb, segments_count integer, content_hash text, item_hash text)
ON CONFLICT (organization_id, source, external_id) DO UPDATE SET
    title = excluded.title, url = excluded.url, share_url = excluded.share_url, language = excluded.language,
    started_at = excluded.started_at, duration_seconds = excluded.duration_seconds,
    recorded_by = excluded.recorded_by, own_summary = coalesce(excluded.own_summary, m.own_summary),
    action_items = excluded.action_items,
    segments_count = CASE excluded.segments_count WHEN 0 THEN m.segments_count ELSE excluded.segments_count END,
    content_hash = CASE WHEN excluded.segments_count = 0 AND m.segments_count > 0 THEN m.content_hash
                        ELSE excluded.content_hash END,
    item_hash = excluded.item_hash, updated_at = tidings.now()

-- name: delete_invitees
-- Clears the invitations of meetings that are written anew in the same transaction.
DELETE FROM tidings.meeting_invitees i
 WHERE i.organization_id = tidings.current_organization() AND i.meeting_id = ANY(%(meeting_ids)s)

-- name: insert_invitees
-- Stores who was invited.
INSERT INTO tidings.meeting_invitees (organization_id, meeting_id, position, name, email, email_domain,
    domain_path, is_external, speaker_name)
SELECT tidings.current_organization(), r.meeting_id, r.position, r.name, r.email, r.email_domain,
       r.domain_path, r.is_external, r.speaker_name
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (meeting_id uuid, position integer, name text, email text,
       email_domain text, domain_path text, is_external boolean, speaker_name text)

-- name: delete_segments
-- Removes utterances that a changed meeting no longer has.
DELETE FROM tidings.meeting_segments s
 WHERE s.organization_id = tidings.current_organization()
   AND s.meeting_id = ANY(%(meeting_ids)s) AND NOT s.id = ANY(%(kept)s)

-- name: upsert_segments
-- Stores utterances; one that stays only moves.
INSERT INTO tidings.meeting_segments (organization_id, meeting_id, id, position, speaker, speaker_email,
    at_seconds, text, search)
SELECT tidings.current_organization(), r.meeting_id, r.id, r.position, r.speaker, r.speaker_email,
       r.at_seconds, r.text, to_tsvector(r.language::regconfig, left(r.text, 200000))
  FROM unnest(%(meeting_ids)s::uuid[], %(ids)s::uuid[], %(positions)s::integer[], %(speakers)s::text[],
       %(speaker_emails)s::text[], %(ats)s::integer[], %(texts)s::text[], %(languages)s::text[])
       AS r (meeting_id, id, position, speaker, speaker_email, at_seconds, text, language)
ON CONFLICT (organization_id, meeting_id, id) DO UPDATE SET
    position = excluded.position, speaker = excluded.speaker, speaker_email = excluded.speaker_email,
    at_seconds = excluded.at_seconds

-- name: upsert_companies
-- Notes which companies the meetings were with.
INSERT INTO tidings.companies AS c (organization_id, domain, last_meeting_at)
SELECT tidings.current_organization(), r.domain, max(r.at)
  FROM unnest(%(domains)s::text[], %(ats)s::timestamptz[]) AS r (domain, at)
 GROUP BY r.domain
ON CONFLICT (organization_id, domain) DO UPDATE SET
    last_meeting_at = greatest(c.last_meeting_at, excluded.last_meeting_at)
 WHERE c.last_meeting_at < excluded.last_meeting_at

-- name: settle_companies
-- Corrects companies that lost a meeting: gone without any, else dated by the last one.
WITH met AS (
    SELECT d.domain, max(m.started_at) AS at
      FROM unnest(%(domains)s::text[]) AS d (domain)
      LEFT JOIN tidings.meeting_invitees i
        ON i.organization_id = tidings.current_organization()
       AND i.domain_path = tidings.domain_path(d.domain) AND i.is_external IS NOT FALSE
      LEFT JOIN tidings.meetings m ON m.organization_id = i.organization_id AND m.id = i.meeting_id
     GROUP BY d.domain
), gone AS (
    DELETE FROM tidings.companies c USING met
     WHERE c.organization_id = tidings.current_organization() AND c.domain = met.domain AND met.at IS NULL
)
UPDATE tidings.companies c SET last_meeting_at = met.at
  FROM met
 WHERE c.organization_id = tidings.current_organization() AND c.domain = met.domain
   AND met.at IS NOT NULL AND c.last_meeting_at <> met.at

-- name: list_meetings
-- One page of meetings, newest first, of one company when asked.
SELECT m.id, m.source, m.external_id, m.title, m.url, m.share_url, m.language, m.started_at, m.duration_seconds,
       m.segments_count, coalesce(p.invitees, '[]'::jsonb) AS invitees
  FROM tidings.meetings m
  LEFT JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_object('name', i.name, 'email', i.email, 'email_domain', i.email_domain,
                  'is_external', i.is_external) ORDER BY i.position) AS invitees
         FROM tidings.meeting_invitees i
        WHERE i.organization_id = m.organization_id AND i.meeting_id = m.id) p ON true
 WHERE m.organization_id = tidings.current_organization()
   AND (%(before_at)s::timestamptz IS NULL OR (m.started_at, m.id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
   AND (%(path)s::text IS NULL OR EXISTS (
       SELECT 1 FROM tidings.meeting_invitees f
        WHERE f.organization_id = m.organization_id AND f.meeting_id = m.id
          AND (f.domain_path = %(path)s::text
               OR (%(subdomains)s::boolean AND f.domain_path >= %(path)s::text || '.' AND f.domain_path < %(path)s::text || '/'))))
   AND (%(ids)s::uuid[] IS NULL OR m.id = ANY(%(ids)s::uuid[]))
 ORDER BY m.started_at DESC, m.id DESC
 LIMIT %(limit)s

-- name: search_segments
-- The utterances that answer a search, best first.
SELECT meeting_id, segment_id, speaker, at_seconds, snippet, rank
  FROM tidings.search_segments_v1(%(query)s, 'english', %(path)s, %(subdomains)s, %(limit)s)

-- name: get_meeting
-- One meeting with everything but its transcript.
SELECT m.id, m.source, m.external_id, m.title, m.url, m.share_url, m.language, m.started_at, m.duration_seconds,
       m.segments_count, m.recorded_by, m.own_summary, m.action_items, m.created_at, m.updated_at,
       coalesce((SELECT jsonb_agg(jsonb_build_object('name', i.name, 'email', i.email,
                     'email_domain', i.email_domain, 'is_external', i.is_external) ORDER BY i.position)
                   FROM tidings.meeting_invitees i
                  WHERE i.organization_id = m.organization_id AND i.meeting_id = m.id), '[]'::jsonb) AS invitees
  FROM tidings.meetings m
 WHERE m.organization_id = tidings.current_organization() AND m.id = %(id)s

-- name: get_segments
-- The transcript of one meeting, in order.
SELECT s.id, s.speaker, s.speaker_email, s.at_seconds, s.text
  FROM tidings.meeting_segments s
 WHERE s.organization_id = tidings.current_organization() AND s.meeting_id = %(id)s
 ORDER BY s.position

-- name: delete_meeting
-- Removes one meeting with all that hangs on it; answers with the domains it was with.
DELETE FROM tidings.meetings m
 WHERE m.organization_id = tidings.current_organization() AND m.id = %(id)s
RETURNING ARRAY(SELECT DISTINCT i.email_domain FROM tidings.meeting_invitees i
                 WHERE i.organization_id = m.organization_id AND i.meeting_id = m.id
                   AND i.email_domain IS NOT NULL) AS domains

-- name: match_meetings
-- Every meeting with a company, oldest first, and since when a reading of its present content is stored.
SELECT m.id, m.title, m.url, m.share_url, m.started_at, m.created_at AS stored_at, m.duration_seconds, m.language,
       m.segments_count, m.content_hash, f.created_at AS read_at
  FROM tidings.meetings m
  LEFT JOIN tidings.meeting_findings f
    ON f.organization_id = m.organization_id AND f.meeting_id = m.id AND f.engine = %(engine)s
   AND f.prompt_version = %(prompt_version)s AND f.content_hash = m.content_hash
 WHERE m.organization_id = tidings.current_organization()
   AND m.id IN (
       SELECT i.meeting_id FROM tidings.meeting_invitees i
        WHERE i.organization_id = tidings.current_organization()
          AND (i.domain_path = %(path)s::text
               OR (%(subdomains)s::boolean AND i.domain_path >= %(path)s::text || '.' AND i.domain_path < %(path)s::text || '/')))
 ORDER BY m.started_at, m.id

-- name: company_people
-- The company's people and in how many of its meetings each was, one row for each address.
SELECT (array_agg(i.name ORDER BY m.started_at DESC) FILTER (WHERE i.name <> ''))[1] AS name,
       lower(i.email) AS email, count(DISTINCT i.meeting_id)::integer AS count
  FROM tidings.meeting_invitees i
  JOIN tidings.meetings m ON m.organization_id = i.organization_id AND m.id = i.meeting_id
 WHERE i.organization_id = tidings.current_organization() AND i.email IS NOT NULL
   AND (i.domain_path = %(path)s::text
        OR (%(subdomains)s::boolean AND i.domain_path >= %(path)s::text || '.' AND i.domain_path < %(path)s::text || '/'))
 GROUP BY lower(i.email)
 ORDER BY count(DISTINCT i.meeting_id) DESC, lower(i.email)

-- name: get_findings
-- Stored readings of these meetings by one engine and prompt.
SELECT f.meeting_id, f.reading
  FROM tidings.meeting_findings f
 WHERE f.organization_id = tidings.current_organization() AND f.meeting_id = ANY(%(meeting_ids)s)
   AND f.engine = %(engine)s AND f.prompt_version = %(prompt_version)s

-- name: save_findings
-- Keeps a reading, unless the meeting was deleted meanwhile.
INSERT INTO tidings.meeting_findings (organization_id, meeting_id, engine, prompt_version, content_hash, reading)
SELECT m.organization_id, m.id, %(engine)s, %(prompt_version)s, %(content_hash)s, %(reading)s::jsonb
  FROM tidings.meetings m
 WHERE m.organization_id = tidings.current_organization() AND m.id = %(meeting_id)s
ON CONFLICT (organization_id, meeting_id, engine, prompt_version) DO UPDATE SET
    content_hash = excluded.content_hash, reading = excluded.reading, created_at = tidings.now()

-- name: get_texts
-- The stored text of segments that quotes claim to stand in, with speaker and time.
SELECT s.meeting_id, s.id, s.text, s.speaker, s.at_seconds
  FROM tidings.meeting_segments s
 WHERE s.organization_id = tidings.current_organization()
   AND (s.meeting_id, s.id) IN (SELECT * FROM unnest(%(meeting_ids)s::uuid[], %(segment_ids)s::uuid[]))

-- name: get_own_texts
-- What meetings without a transcript said of themselves.
SELECT m.id, coalesce(m.own_summary, '') AS own_summary, m.action_items
  FROM tidings.meetings m
 WHERE m.organization_id = tidings.current_organization() AND m.id = ANY(%(meeting_ids)s)

-- name: list_companies
-- One page of companies, latest meeting first.
SELECT c.domain, c.last_meeting_at,
       (SELECT count(DISTINCT i.meeting_id)::integer FROM tidings.meeting_invitees i
         WHERE i.organization_id = c.organization_id
           AND i.domain_path = tidings.domain_path(c.domain)) AS meetings_count
  FROM tidings.companies c
 WHERE c.organization_id = tidings.current_organization()
   AND (%(before_at)s::timestamptz IS NULL OR (c.last_meeting_at, c.domain) < (%(before_at)s::timestamptz, %(before_domain)s::text))
 ORDER BY c.last_meeting_at DESC, c.domain DESC
 LIMIT %(limit)s

-- name: count_stored
-- How much is stored.
SELECT (SELECT count(*)::integer FROM tidings.meetings m
         WHERE m.organization_id = tidings.current_organization()) AS meetings,
       (SELECT coalesce(sum(m.segments_count), 0)::integer FROM tidings.meetings m
         WHERE m.organization_id = tidings.current_organization()) AS segments,
       (SELECT count(DISTINCT lower(i.email))::integer FROM tidings.meeting_invitees i
         WHERE i.organization_id = tidings.current_organization()) AS people,
       (SELECT count(*)::integer FROM tidings.companies c
         WHERE c.organization_id = tidings.current_organization()) AS companies

-- name: last_sync
-- When a company was last fetched from Fathom, and how far.
SELECT f.synced_at, f.newest_created_at, tidings.now() - f.synced_at < make_interval(secs => %(age)s) AS is_fresh
  FROM tidings.fathom_syncs f
 WHERE f.organization_id = tidings.current_organization() AND f.domain = %(domain)s

-- name: save_sync
-- Notes that a company was fetched from Fathom to the end.
INSERT INTO tidings.fathom_syncs AS f (organization_id, domain, synced_at, newest_created_at)
VALUES (tidings.current_organization(), %(domain)s, tidings.now(), %(newest)s)
ON CONFLICT (organization_id, domain) DO UPDATE SET
    synced_at = excluded.synced_at,
    newest_created_at = greatest(f.newest_created_at, excluded.newest_created_at)

-- name: insert_hook
-- Makes an address that Fathom may post to.
INSERT INTO tidings.meeting_hooks (organization_id, id, user_id, token_hash)
VALUES (tidings.current_organization(), %(id)s, %(user_id)s, %(token_hash)s)

-- name: list_hooks
-- The organization's webhook addresses.
SELECT h.id, h.created_at, h.revoked_at
  FROM tidings.meeting_hooks h
 WHERE h.organization_id = tidings.current_organization()
 ORDER BY h.id

-- name: revoke_hook
-- Ends a webhook address.
UPDATE tidings.meeting_hooks h SET revoked_at = tidings.now()
 WHERE h.organization_id = tidings.current_organization() AND h.id = %(id)s AND h.revoked_at IS NULL

-- name: find_hook
-- Whose address a webhook token is.
SELECT organization_id, hook_id, user_id FROM tidings.find_meeting_hook_v1(%(token_hash)s)

-- name: take_delivery
-- Notes a delivery; no row when it was taken in before.
INSERT INTO tidings.hook_deliveries (organization_id, hook_id, delivery_id)
VALUES (tidings.current_organization(), %(hook_id)s, %(delivery_id)s)
ON CONFLICT DO NOTHING
RETURNING delivery_id

-- name: sweep_deliveries
-- Removes some delivery ids past their retention.
SELECT tidings.sweep_hook_deliveries_v1(%(max)s) AS swept

-- name: recent_meetings
-- Lists the newest meetings of every organization that were taken in within 24 hours.
SELECT organization_id, meeting_id, segments_count FROM tidings.recent_meetings_v1(%(most)s)
