-- name: insert_approval
-- Adds a draft; what answers a message is in its channel.
INSERT INTO tidings.approvals (organization_id, id, type, channel, recipient, subject, content, lead_id, message_id,
    channel_id, reason, evidence, ai_score, rule_id, is_automatic, expires_at, status)
VALUES (tidings.current_organization(), %(id)s, %(type)s, %(channel)s, %(recipient)s, %(subject)s, %(content)s,
    %(lead_id)s::uuid, %(message_id)s::uuid,
    coalesce(%(channel_id)s::uuid, (
        SELECT m.channel_id FROM tidings.messages AS m
        WHERE m.organization_id = tidings.current_organization() AND m.id = %(message_id)s::uuid)),
    %(reason)s, %(evidence)s::jsonb, %(ai_score)s::smallint, %(rule_id)s::uuid, %(is_automatic)s,
    %(expires_at)s::timestamptz, %(status)s)

-- name: my_live_channels
-- The channels in whose answers the acting user may take part, the liveliest first.
SELECT c.id FROM tidings.channels AS c
WHERE c.organization_id = tidings.current_organization() AND c.id = ANY ((SELECT tidings.my_channels())::uuid[])
    AND c.archived_at IS NULL
ORDER BY c.last_message_at DESC NULLS LAST, c.id DESC
LIMIT %(most)s

-- name: list_approvals
-- Lists approvals, newest first, of one status, channel or answered message where given.
SELECT a.id, a.type, a.channel, a.recipient AS "to", a.subject, a.content, a.status, a.lead_id, a.message_id, a.channel_id,
    a.rule_id, a.is_automatic, a.reason, a.evidence, a.ai_score, a.version, encode(a.digest, 'hex') AS digest, a.created_by,
    a.created_at, a.decided_by, a.reviewed_by,
    coalesce(nullif(u.name, ''), u.email) AS reviewed_by_name, a.reviewed_at, a.expires_at, a.next_attempt_at,
    a.waits_for, a.attempts, a.attempt_log, a.outcome, a.problem, a.provider_id, a.sent_at,
    tidings.is_do_not_contact(a.organization_id, a.contact) AS is_do_not_contact,
    tidings.answers_elsewhere(a.organization_id, a.message_id, a.contact) AS answers_elsewhere
FROM tidings.approvals AS a
LEFT JOIN tidings.users AS u ON u.id = a.reviewed_by
WHERE a.organization_id = tidings.current_organization()
    AND (%(status)s::text IS NULL OR a.status = %(status)s::text)
    AND (%(channel)s::text IS NULL OR a.channel = %(channel)s::text)
    AND (%(before)s::uuid IS NULL OR a.id < %(before)s::uuid)
ORDER BY a.id DESC
LIMIT %(limit)s

-- name: get_approval
-- One approval.
SELECT a.id, a.type, a.channel, a.recipient AS "to", a.subject, a.content, a.status, a.lead_id, a.message_id, a.channel_id,
    a.rule_id, a.is_automatic, a.reason, a.evidence, a.ai_score, a.version, encode(a.digest, 'hex') AS digest, a.created_by,
    a.created_at, a.decided_by, a.reviewed_by,
    coalesce(nullif(u.name, ''), u.email) AS reviewed_by_name, a.reviewed_at, a.expires_at, a.next_attempt_at,
    a.waits_for, a.attempts, a.attempt_log, a.outcome, a.problem, a.provider_id, a.sent_at,
    tidings.is_do_not_contact(a.organization_id, a.contact) AS is_do_not_contact,
    tidings.answers_elsewhere(a.organization_id, a.message_id, a.contact) AS answers_elsewhere
FROM tidings.approvals AS a
LEFT JOIN tidings.users AS u ON u.id = a.reviewed_by
WHERE a.organization_id = tidings.current_organization() AND a.id = %(id)s

-- name: count_by_status
-- How many approvals wait, by what for.
SELECT a.status, count(*)::integer AS number
FROM tidings.approvals AS a
WHERE a.organization_id = tidings.current_organization()
    AND a.status IN ('pending', 'approved', 'sending', 'failed', 'opened')
GROUP BY a.status

-- name: count_pending
-- How many approvals wait for a decision.
SELECT count(*)::integer AS number
FROM tidings.approvals AS a
WHERE a.organization_id = tidings.current_organization() AND a.status = 'pending'

-- name: approve_approvals
-- Approves those that are still pending, as they were seen; locked in the order of ids, as all that take many.
UPDATE tidings.approvals AS a SET
    status = 'approved', decided_by = 'person', reviewed_by = tidings.acting_user(), reviewed_at = tidings.now(),
    next_attempt_at = tidings.now(), tries = 0
FROM (
    SELECT p.id, w.version
    FROM unnest(%(ids)s::uuid[], %(versions)s::bigint[]) AS w (id, version)
    JOIN tidings.approvals AS p ON p.organization_id = tidings.current_organization() AND p.id = w.id
    ORDER BY p.id FOR UPDATE OF p) AS w
WHERE a.organization_id = tidings.current_organization() AND a.id = w.id AND a.status = 'pending'
    AND (w.version IS NULL OR a.version = w.version) AND (a.expires_at IS NULL OR a.expires_at > tidings.now())
RETURNING a.id, a.channel, a.status, a.version, a.next_attempt_at

-- name: reject_approvals
-- Rejects those that are still pending, as they were seen; locked as by approving.
UPDATE tidings.approvals AS a SET
    status = 'rejected', decided_by = 'person', reviewed_by = tidings.acting_user(), reviewed_at = tidings.now(),
    problem = %(reason)s
FROM (
    SELECT p.id, w.version
    FROM unnest(%(ids)s::uuid[], %(versions)s::bigint[]) AS w (id, version)
    JOIN tidings.approvals AS p ON p.organization_id = tidings.current_organization() AND p.id = w.id
    ORDER BY p.id FOR UPDATE OF p) AS w
WHERE a.organization_id = tidings.current_organization() AND a.id = w.id AND a.status = 'pending'
    AND (w.version IS NULL OR a.version = w.version)
RETURNING a.id, a.channel, a.status, a.version, a.next_attempt_at

-- name: read_states
-- What became of approvals, and who decided.
SELECT a.id, a.status, a.version, a.decided_by, u.name AS reviewed_by_name, u.email AS reviewed_by_email, a.reviewed_at,
    coalesce(a.expires_at <= tidings.now(), false) AS is_past
FROM tidings.approvals AS a
LEFT JOIN tidings.users AS u ON u.id = a.reviewed_by
WHERE a.organization_id = tidings.current_organization() AND a.id = ANY (%(ids)s::uuid[])

-- name: cancel_approval
-- Takes back what was approved and has not left.
UPDATE tidings.approvals AS a SET status = 'cancelled', outcome = 'person', next_attempt_at = NULL, waits_for = NULL
WHERE a.organization_id = tidings.current_organization() AND a.id = %(id)s AND a.status IN ('approved', 'opened')
RETURNING a.id

-- name: retry_approval
-- Lets a failed one try again, or one that waits for its next try do so now.
UPDATE tidings.approvals AS a SET
    status = 'approved', decided_by = 'person', reviewed_by = tidings.acting_user(), reviewed_at = tidings.now(),
    tries = 0, next_attempt_at = tidings.now(), waits_for = NULL, outcome = NULL
WHERE a.organization_id = tidings.current_organization() AND a.id = %(id)s
    AND (a.status = 'failed' OR (a.status = 'approved' AND a.waits_for = 'retry'))
RETURNING a.next_attempt_at

-- name: mark_sent
-- Notes that a person sent by hand what they had opened.
UPDATE tidings.approvals AS a SET status = 'sent_manual', sent_at = tidings.now()
WHERE a.organization_id = tidings.current_organization() AND a.id = %(id)s AND a.status = 'opened'
RETURNING a.id

-- name: edit_approval
-- Changes what is proposed, which has to be approved anew.
UPDATE tidings.approvals AS a SET
    status = 'pending', recipient = %(recipient)s, subject = %(subject)s, content = %(content)s,
    expires_at = %(expires_at)s::timestamptz
WHERE a.organization_id = tidings.current_organization() AND a.id = %(id)s AND a.version = %(version)s
    AND a.status IN ('pending', 'approved')
RETURNING a.id

-- name: find_route
-- By which way an approval leaves, and whether it answers in a channel.
SELECT a.channel, g.url, a.channel_id IS NOT NULL AS is_in_channel
FROM tidings.approvals AS a
LEFT JOIN tidings.send_gateways AS g ON g.organization_id = a.organization_id AND g.channel = a.channel
WHERE a.organization_id = tidings.current_organization() AND a.id = %(id)s

-- name: claim_approval
-- Checks everything and claims, or says why not and until when.
SELECT verdict, why, until, type, channel, recipient, subject, content, is_automatic, attempt, idempotency_key, in_reply_to,
    in_references, unsubscribe_token
FROM tidings.claim_approval_v1(%(id)s, %(token)s, %(lease)s::interval, %(repeatable)s)

-- name: settle_approval
-- Notes what a claimed send came to; no row when the lease was lost.
SELECT status, next_attempt_at
FROM tidings.settle_approval_v1(%(id)s, %(token)s, %(result)s, %(detail)s, %(provider_id)s, %(not_before)s::timestamptz)

-- name: sent_in_channel
-- What was sent in a channel, as a message of it: under the id that the other side knows it by, from whoever approved it.
SELECT a.channel_id, a.channel, a.subject, a.content, a.is_automatic, a.sent_at, a.idempotency_key, a.provider_id,
    m.external_id AS reply_to, o.id::text AS organization_id, o.name AS organization_name, u.email AS person_email,
    u.name AS person_name
FROM tidings.approvals AS a
JOIN tidings.organizations AS o ON o.id = a.organization_id
LEFT JOIN tidings.messages AS m ON m.organization_id = a.organization_id AND m.id = a.message_id
LEFT JOIN tidings.users AS u ON u.id = a.reviewed_by
WHERE a.organization_id = tidings.current_organization() AND a.id = %(id)s AND a.status IN ('sent', 'sent_manual')
    AND a.channel_id IS NOT NULL

-- name: due_approvals
-- Ends what ran out, and lists what is due, of every organization.
SELECT organization_id, id, user_id, due_at FROM tidings.due_approvals_v1(%(most)s)

-- name: sweep_send_slots
-- Forgets some slots that no limit counts any more.
SELECT tidings.sweep_send_slots_v1(%(most)s) AS swept

-- name: read_policy
-- The send policy, and what was sent today.
SELECT p.approval_required, p.automation, p.guard, p.daily_cap, p.hours_start, p.hours_end, p.replies_any_hour, p.limits,
    p.version, p.updated_at, o.time_zone,
    (SELECT count(*)::integer FROM tidings.send_slots AS s
     WHERE s.organization_id = p.organization_id
        AND s.taken_at >= date_trunc('day', tidings.now() AT TIME ZONE o.time_zone) AT TIME ZONE o.time_zone) AS sent_today
FROM tidings.send_policies AS p JOIN tidings.organizations AS o ON o.id = p.organization_id
WHERE p.organization_id = tidings.current_organization()

-- name: change_policy
-- Changes the send policy as it was read.
UPDATE tidings.send_policies AS p SET
    approval_required = %(approval_required)s, automation = %(automation)s, guard = %(guard)s::jsonb,
    daily_cap = %(daily_cap)s, hours_start = %(hours_start)s, hours_end = %(hours_end)s,
    replies_any_hour = %(replies_any_hour)s, limits = %(limits)s::jsonb, version = p.version + 1, updated_at = tidings.now()
WHERE p.organization_id = tidings.current_organization() AND p.version = %(version)s
RETURNING p.version

-- name: list_do_not_contact
-- Whom nothing is sent to, the newest first.
SELECT d.kind, d.value, d.reason, d.source, d.created_by, d.created_at, d.asked_at, d.message_id, m.channel_id
FROM tidings.do_not_contact AS d
LEFT JOIN tidings.messages AS m ON m.organization_id = d.organization_id AND m.id = d.message_id
WHERE d.organization_id = tidings.current_organization()
    AND (%(value)s::text IS NULL OR (d.kind = ANY ('{email,phone,domain,handle}')
        AND d.value = tidings.normalise_contact(%(value)s::text)))
    AND (%(before_at)s::timestamptz IS NULL
        OR (d.created_at, d.kind, d.value) < (%(before_at)s::timestamptz, %(before_kind)s::text, %(before_value)s::text))
ORDER BY d.created_at DESC, d.kind DESC, d.value DESC
LIMIT %(limit)s

-- name: add_do_not_contact
-- Adds an address, number or domain; what waited for it is cancelled by trigger.
INSERT INTO tidings.do_not_contact (organization_id, kind, value, reason, source, created_by)
VALUES (tidings.current_organization(), %(kind)s, tidings.normalise_contact(%(value)s), %(reason)s, %(source)s,
    tidings.acting_user())
ON CONFLICT DO NOTHING
RETURNING kind, value, reason, source, created_by, created_at, asked_at, message_id, NULL::uuid AS channel_id

-- name: get_do_not_contact
-- One entry.
SELECT d.kind, d.value, d.reason, d.source, d.created_by, d.created_at, d.asked_at, d.message_id, m.channel_id
FROM tidings.do_not_contact AS d
LEFT JOIN tidings.messages AS m ON m.organization_id = d.organization_id AND m.id = d.message_id
WHERE d.organization_id = tidings.current_organization() AND d.kind = %(kind)s
    AND d.value = tidings.normalise_contact(%(value)s)

-- name: remove_do_not_contact
-- Lets an address, number or domain be written to again.
DELETE FROM tidings.do_not_contact AS d
WHERE d.organization_id = tidings.current_organization() AND d.kind = %(kind)s
    AND d.value = tidings.normalise_contact(%(value)s)
RETURNING d.value

-- name: find_unsubscribe
-- Whose mail a link ends.
SELECT contact, organization, is_done FROM tidings.find_unsubscribe_v1(%(token)s)

-- name: unsubscribe
-- Puts the address of a link on do-not-contact.
SELECT tidings.unsubscribe_v1(%(token)s) AS contact

-- name: list_gateways
-- Where the channels leave by webhook.
SELECT g.channel, g.url, g.created_at, g.updated_at
FROM tidings.send_gateways AS g
WHERE g.organization_id = tidings.current_organization()
ORDER BY g.channel

-- name: find_gateway
-- Where one channel leaves by webhook.
SELECT g.url FROM tidings.send_gateways AS g
WHERE g.organization_id = tidings.current_organization() AND g.channel = %(channel)s

-- name: set_gateway
-- Sets where a channel leaves.
INSERT INTO tidings.send_gateways AS g (organization_id, channel, url)
VALUES (tidings.current_organization(), %(channel)s, %(url)s)
ON CONFLICT (organization_id, channel) DO UPDATE SET url = excluded.url, updated_at = tidings.now()

-- name: delete_gateway
-- Ends a way out.
DELETE FROM tidings.send_gateways AS g
WHERE g.organization_id = tidings.current_organization() AND g.channel = %(channel)s
RETURNING g.channel
