-- name: insert_brainstorm
-- Makes a brainstorm of the acting user, from messages that they may read.
INSERT INTO tidings.brainstorm_sessions (organization_id, id, topic, description, framework, human_first, context_message_ids, owner_id)
VALUES (tidings.current_organization(), %(id)s, %(topic)s, %(description)s, %(framework)s, %(human_first)s, %(message_ids)s::uuid[],
        tidings.acting_user())
RETURNING version

-- name: list_brainstorms
-- The brainstorms that the acting user may read, the one changed last first.
SELECT s.id, s.topic, s.framework, s.version, s.owner_id,
       CASE WHEN s.owner_id = tidings.acting_user() THEN 'owner' ELSE coalesce(c.role, 'viewer') END AS role,
       (SELECT count(*) FROM tidings.brainstorm_ideas i
         WHERE i.organization_id = s.organization_id AND i.session_id = s.id) AS ideas_count,
       s.created_at, s.updated_at
  FROM tidings.brainstorm_sessions s
  LEFT JOIN tidings.brainstorm_collaborators c
    ON c.organization_id = s.organization_id AND c.session_id = s.id AND c.user_id = tidings.acting_user()
 WHERE s.organization_id = tidings.current_organization()
   AND (%(before)s::timestamptz IS NULL OR (s.updated_at, s.id) < (%(before)s::timestamptz, %(before_id)s::uuid))
 ORDER BY s.updated_at DESC, s.id DESC
 LIMIT %(limit)s

-- name: get_brainstorm
-- One brainstorm, and what the acting user is in it.
SELECT s.id, s.topic, s.description, s.framework, s.human_first, s.timer_ends_at, s.owner_id, s.version, s.created_at, s.updated_at,
       CASE WHEN s.owner_id = tidings.acting_user() THEN 'owner' ELSE coalesce(c.role, 'viewer') END AS role,
       s.id = ANY (tidings.brainstorms_hiding_ai()) AS hides_ai
  FROM tidings.brainstorm_sessions s
  LEFT JOIN tidings.brainstorm_collaborators c
    ON c.organization_id = s.organization_id AND c.session_id = s.id AND c.user_id = tidings.acting_user()
 WHERE s.organization_id = tidings.current_organization() AND s.id = %(id)s

-- name: list_people
-- The owner and the collaborators of a brainstorm.
SELECT p.user_id, coalesce(nullif(u.name, ''), u.email, 'somebody who left') AS name, p.role
  FROM (SELECT s.organization_id, s.id AS session_id, s.owner_id AS user_id, 'owner' AS role, s.created_at
          FROM tidings.brainstorm_sessions s
         WHERE s.organization_id = tidings.current_organization() AND s.id = %(id)s
         UNION ALL
        SELECT c.organization_id, c.session_id, c.user_id, c.role, c.created_at
          FROM tidings.brainstorm_collaborators c
         WHERE c.organization_id = tidings.current_organization() AND c.session_id = %(id)s) AS p
  LEFT JOIN tidings.users u ON u.id = p.user_id
 ORDER BY p.role = 'owner' DESC, p.created_at, p.user_id

-- name: list_clusters
-- The clusters of a brainstorm, in their order.
SELECT c.id, c.name, c.origin, c.version
  FROM tidings.brainstorm_clusters c
 WHERE c.organization_id = tidings.current_organization() AND c.session_id = %(id)s
 ORDER BY c.position, c.id

-- name: list_ideas
-- The ideas of a brainstorm with their votes, in their order.
SELECT i.id, i.text, i.status, i.priority, i.tags, i.cluster_id, i.position::double precision AS position, i.origin, i.author_id,
       CASE i.origin WHEN 'engine' THEN 'AI' ELSE coalesce(nullif(u.name, ''), u.email, 'somebody who left') END AS author,
       coalesce(v.votes, 0) AS votes, coalesce(v.voted, false) AS voted,
       CASE WHEN h.hides_ai THEN NULL ELSE i.details END AS details, CASE WHEN h.hides_ai THEN NULL ELSE i.scores END AS scores,
       i.version, i.created_at, i.updated_at
  FROM tidings.brainstorm_ideas i
 CROSS JOIN (SELECT NOT tidings.is_service() AND %(id)s = ANY (tidings.brainstorms_hiding_ai()) AS hides_ai OFFSET 0) AS h
  LEFT JOIN tidings.users u ON u.id = i.author_id
  LEFT JOIN (SELECT w.idea_id, count(*)::integer AS votes, bool_or(w.user_id = tidings.acting_user()) AS voted
               FROM tidings.brainstorm_votes w
              WHERE w.organization_id = tidings.current_organization() AND w.session_id = %(id)s
              GROUP BY w.idea_id) AS v ON v.idea_id = i.id
 WHERE i.organization_id = tidings.current_organization() AND i.session_id = %(id)s
   AND (%(idea_id)s::uuid IS NULL OR i.id = %(idea_id)s::uuid)
 ORDER BY i.position, i.id

-- name: list_context
-- The messages that a brainstorm was started from, those that the acting user may read.
SELECT m.id, m.channel_id, coalesce(nullif(m.sender_name, ''), m.sender_id) AS sender, m.body, m.sent_at
  FROM tidings.brainstorm_sessions s
  JOIN tidings.messages m ON m.organization_id = s.organization_id AND m.id = ANY (s.context_message_ids)
 WHERE s.organization_id = tidings.current_organization() AND s.id = %(id)s
 ORDER BY m.sent_at, m.position

-- name: messages_to_start_from
-- Messages by their ids, or the latest of a thread, that the acting user may read.
SELECT m.id, m.channel_id, coalesce(nullif(m.sender_name, ''), m.sender_id) AS sender, m.body, m.sent_at
  FROM tidings.messages m
 WHERE m.organization_id = tidings.current_organization()
   AND (m.id = ANY (%(message_ids)s::uuid[]) OR m.thread_id = %(thread_id)s::uuid)
 ORDER BY m.sent_at DESC, m.position DESC
 LIMIT %(limit)s

-- name: change_brainstorm
-- Changes fields of a brainstorm that nobody else changed since they were read.
SELECT version FROM tidings.change_brainstorm_v1(%(id)s, %(change)s::jsonb, %(seen)s)

-- name: delete_brainstorm
-- Deletes a brainstorm of the acting user.
DELETE FROM tidings.brainstorm_sessions s
 WHERE s.organization_id = tidings.current_organization() AND s.id = %(id)s
RETURNING s.id

-- name: share_brainstorm
-- Brings a member into a brainstorm of the acting user.
SELECT tidings.share_brainstorm_v1(%(id)s, %(user_id)s, %(role)s)

-- name: unshare_brainstorm
-- Takes somebody out of a brainstorm: anybody by its owner, each by themselves.
DELETE FROM tidings.brainstorm_collaborators c
 WHERE c.organization_id = tidings.current_organization() AND c.session_id = %(id)s AND c.user_id = %(user_id)s
RETURNING c.user_id

-- name: find_people
-- Members of the organization whom a brainstorm can be shared with.
SELECT m.user_id, coalesce(nullif(u.name, ''), u.email) AS name
  FROM tidings.organization_members m JOIN tidings.users u ON u.id = m.user_id
 WHERE m.organization_id = tidings.current_organization()
   AND NOT EXISTS (SELECT FROM tidings.brainstorm_sessions s
                    WHERE s.organization_id = m.organization_id AND s.id = %(id)s AND s.owner_id = m.user_id)
 ORDER BY name, m.user_id LIMIT 200

-- name: add_ideas
-- Adds ideas to a brainstorm.
SELECT id, version FROM tidings.add_brainstorm_ideas_v1(%(id)s, %(ids)s::uuid[], %(texts)s::text[], %(more)s::jsonb, %(after)s)

-- name: change_idea
-- Changes fields of an idea that nobody else changed since they were read.
SELECT version FROM tidings.change_brainstorm_idea_v1(%(id)s, %(idea_id)s, %(change)s::jsonb, %(seen)s)

-- name: delete_idea
-- Deletes an idea that nobody else changed since it was read.
SELECT tidings.delete_brainstorm_idea_v1(%(id)s, %(idea_id)s, %(seen)s)

-- name: vote
-- Gives the acting user's vote for an idea, or takes it back.
SELECT tidings.vote_brainstorm_idea_v1(%(id)s, %(idea_id)s, %(wanted)s)

-- name: save_cluster
-- Makes a cluster or renames one.
SELECT id, name, origin, version FROM tidings.save_brainstorm_cluster_v1(%(id)s, %(cluster_id)s, %(name)s, %(seen)s, %(is_new)s)

-- name: delete_cluster
-- Deletes a cluster, not its ideas.
SELECT tidings.delete_brainstorm_cluster_v1(%(id)s, %(cluster_id)s)

-- name: restore_part
-- Puts an idea or a cluster back that was deleted.
SELECT tidings.restore_brainstorm_part_v1(%(id)s, %(subject_id)s)

-- name: list_operations
-- Changes of a brainstorm after one of them, in their order.
SELECT o.version, o.action, o.subject_id, o.fields, o.user_id, o.by_engine, o.created_at,
       CASE WHEN h.hides_ai AND (o.by_engine OR o.changes ?| ARRAY['details', 'scores'] OR o.changes ->> 'origin' = 'engine')
            THEN NULL ELSE o.changes END AS changes
  FROM tidings.brainstorm_operations o
 CROSS JOIN (SELECT %(id)s = ANY (tidings.brainstorms_hiding_ai()) AS hides_ai OFFSET 0) AS h
 WHERE o.organization_id = tidings.current_organization() AND o.session_id = %(id)s AND o.version > %(after)s
 ORDER BY o.version
 LIMIT %(limit)s

-- name: may_edit
-- Takes one's turn at a brainstorm, or is refused.
SELECT tidings.lock_brainstorm_v1(%(id)s)

-- name: is_readable
-- Whether the acting user may read a brainstorm.
SELECT EXISTS (SELECT FROM tidings.brainstorm_sessions s
                WHERE s.organization_id = tidings.current_organization() AND s.id = %(id)s)

-- name: source_session
-- What an engine is told of a brainstorm beside its ideas.
SELECT s.topic, s.description, s.framework, s.id = ANY (tidings.brainstorms_hiding_ai()) AS hides_ai
  FROM tidings.brainstorm_sessions s
 WHERE s.organization_id = tidings.current_organization() AND s.id = %(id)s

-- name: find_answer
-- The stored answer to a question.
SELECT c.answer, c.engine
  FROM tidings.brainstorm_ai_cache AS c
 WHERE c.organization_id = tidings.current_organization() AND c.key = %(key)s AND c.expires_at > tidings.now()

-- name: keep_answer
-- Stores an answer for a while.
INSERT INTO tidings.brainstorm_ai_cache AS c (organization_id, key, operation, engine, answer, expires_at)
VALUES (tidings.current_organization(), %(key)s, %(operation)s, %(engine)s, %(answer)s::jsonb, tidings.now() + %(ttl)s)
ON CONFLICT (organization_id, key) DO UPDATE
SET answer = EXCLUDED.answer, engine = EXCLUDED.engine, created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at

-- name: cleanup_answers
-- Deletes the answers whose time is over.
SELECT tidings.cleanup_expired_brainstorm_cache()

-- name: insert_result
-- Notes what an engine answered about a brainstorm.
INSERT INTO tidings.brainstorm_results (organization_id, id, session_id, operation, engine, answer, idea_ids, from_cache, asked_by)
VALUES (tidings.current_organization(), %(result_id)s, %(id)s, %(operation)s, %(engine)s, %(answer)s::jsonb, %(idea_ids)s::uuid[],
        %(from_cache)s, tidings.acting_user())
ON CONFLICT DO NOTHING

-- name: list_results
-- What engines answered about a brainstorm, the latest first.
SELECT r.id, r.operation, r.engine, r.answer, r.idea_ids, r.from_cache, r.asked_by, r.created_at
  FROM tidings.brainstorm_results r
 WHERE r.organization_id = tidings.current_organization() AND r.session_id = %(id)s
   AND (%(result_id)s::uuid IS NULL OR r.id = %(result_id)s::uuid)
   AND (%(before)s::uuid IS NULL OR r.id < %(before)s::uuid)
 ORDER BY r.id DESC
 LIMIT %(limit)s

-- name: place_clusters
-- Puts an engine's clusters in the place of its earlier ones.
SELECT tidings.cluster_brainstorm_v1(%(id)s, %(ids)s::uuid[], %(names)s::text[], %(ideas)s::uuid[], %(places)s::integer[])

-- name: enrich_ideas
-- Notes what an engine says of ideas: details of one, scores of several.
UPDATE tidings.brainstorm_ideas AS i
   SET details = coalesce(n.details::jsonb, i.details), scores = coalesce(n.scores::jsonb, i.scores)
  FROM unnest(%(ideas)s::uuid[], %(details)s::text[], %(scores)s::text[]) AS n (id, details, scores)
 WHERE i.organization_id = tidings.current_organization() AND i.session_id = %(id)s AND i.id = n.id

-- name: own_brainstorms
-- The brainstorms that the acting person owns.
SELECT r.id AS id, to_jsonb(r) AS row FROM tidings.brainstorm_sessions AS r
WHERE r.organization_id = tidings.current_organization() AND r.owner_id = tidings.acting_user()

-- name: own_collaborations
-- The brainstorms that others share with the acting person.
SELECT r.session_id AS id, to_jsonb(r) AS row FROM tidings.brainstorm_collaborators AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user()

-- name: own_ideas
-- The ideas that the acting person wrote on boards that they still see.
SELECT r.id AS id, to_jsonb(r) AS row FROM tidings.brainstorm_ideas AS r
WHERE r.organization_id = tidings.current_organization() AND r.author_id = tidings.acting_user()

-- name: own_votes
-- The acting person's votes.
SELECT r.idea_id AS id, to_jsonb(r) AS row FROM tidings.brainstorm_votes AS r
WHERE r.organization_id = tidings.current_organization() AND r.user_id = tidings.acting_user()
