-- name: start
-- Starts a run with its record, or finds the one under way.
SELECT run_id, created
  FROM tidings.start_engagement_v1(%(run_id)s, %(domain)s, %(args)s::jsonb, %(force)s, %(record)s::jsonb,
       make_interval(secs => %(deadline)s), make_interval(secs => %(retention)s))

-- name: complete
-- Ends a record as complete; false when it was deleted or ended meanwhile.
SELECT tidings.complete_engagement_v1(%(domain)s, %(run_id)s, %(change)s::jsonb,
       make_interval(secs => %(retention)s)) AS completed

-- name: get_record
-- One record.
SELECT k.value, k.version
  FROM tidings.kv_store k
 WHERE k.organization_id = tidings.current_organization() AND k.key = %(key)s
   AND (k.expires_at IS NULL OR k.expires_at > tidings.now())

-- name: list_records
-- The records of a company, newest first, without their summaries.
SELECT k.value - 'summary' AS record
  FROM tidings.kv_store k
 WHERE k.organization_id = tidings.current_organization()
   AND k.key >= 'engagement:' || %(domain)s::text || ':' AND k.key < 'engagement:' || %(domain)s::text || ';'
   AND (k.expires_at IS NULL OR k.expires_at > tidings.now())
 ORDER BY k.key DESC
 LIMIT %(limit)s

-- name: latest_complete
-- The company's newest complete record before a run.
SELECT k.value AS record
  FROM tidings.kv_store k
 WHERE k.organization_id = tidings.current_organization()
   AND k.key >= 'engagement:' || %(domain)s::text || ':'
   AND k.key < coalesce('engagement:' || %(domain)s::text || ':' || %(before)s::uuid::text, 'engagement:' || %(domain)s::text || ';')
   AND k.value ->> 'status' = 'complete'
   AND (k.expires_at IS NULL OR k.expires_at > tidings.now())
 ORDER BY k.key DESC
 LIMIT 1

-- name: summary_states
-- For each of some companies, or without them of those met last: status and time of its newest record.
SELECT d.domain, newest.status, newest.run_id, newest.updated_at
  FROM unnest(coalesce(%(domains)s::text[], ARRAY(
       SELECT c.domain FROM tidings.companies c
        WHERE c.organization_id = tidings.current_organization()
        ORDER BY c.last_meeting_at DESC, c.domain DESC
        LIMIT %(latest)s))) AS d (domain)
  JOIN LATERAL (
       SELECT k.value ->> 'status' AS status, k.value ->> 'run_id' AS run_id, k.value ->> 'updated_at' AS updated_at
         FROM tidings.kv_store k
        WHERE k.organization_id = tidings.current_organization()
          AND k.key >= 'engagement:' || d.domain || ':' AND k.key < 'engagement:' || d.domain || ';'
          AND (k.expires_at IS NULL OR k.expires_at > tidings.now())
        ORDER BY k.key DESC LIMIT 1) AS newest ON true

-- name: latest_edition
-- The organization's newest version of a company's lines.
SELECT e.version, e.lines, e.saved_at, coalesce(nullif(u.name, ''), u.email, 'somebody who left') AS saved_by
  FROM tidings.engagement_editions e
  LEFT JOIN tidings.users u ON u.id = e.saved_by
 WHERE e.organization_id = tidings.current_organization() AND e.domain = %(domain)s
 ORDER BY e.version DESC
 LIMIT 1

-- name: insert_edition
-- Saves the version after the one the editor saw; no row when somebody saved it first.
INSERT INTO tidings.engagement_editions (organization_id, domain, version, lines, saved_by)
SELECT tidings.current_organization(), %(domain)s, %(seen)s::integer + 1, %(lines)s::jsonb, tidings.acting_user()
 WHERE %(seen)s::integer = coalesce((
       SELECT max(e.version) FROM tidings.engagement_editions e
        WHERE e.organization_id = tidings.current_organization() AND e.domain = %(domain)s), 0)
ON CONFLICT DO NOTHING
RETURNING version

-- name: undo_edition
-- Saves the version before the one the editor saw once more; no row when somebody saved meanwhile.
INSERT INTO tidings.engagement_editions (organization_id, domain, version, lines, saved_by)
SELECT tidings.current_organization(), %(domain)s, %(seen)s::integer + 1,
       coalesce((SELECT e.lines FROM tidings.engagement_editions e
                  WHERE e.organization_id = tidings.current_organization() AND e.domain = %(domain)s
                    AND e.version = %(seen)s::integer - 1), '[]'::jsonb),
       tidings.acting_user()
 WHERE %(seen)s::integer = (
       SELECT max(e.version) FROM tidings.engagement_editions e
        WHERE e.organization_id = tidings.current_organization() AND e.domain = %(domain)s)
ON CONFLICT DO NOTHING
RETURNING version

-- name: trim_editions
-- Forgets the versions that are more than fifty saves old.
DELETE FROM tidings.engagement_editions e
 WHERE e.organization_id = tidings.current_organization() AND e.domain = %(domain)s
   AND e.version <= (SELECT max(n.version) - 50 FROM tidings.engagement_editions n
                      WHERE n.organization_id = tidings.current_organization() AND n.domain = %(domain)s)
