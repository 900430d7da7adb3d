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
