DROP FUNCTION tidings.unsubscribe_v1(text);
DROP FUNCTION tidings.find_unsubscribe_v1(text);
DROP FUNCTION tidings.sweep_send_slots_v1(integer);
DROP FUNCTION tidings.due_approvals_v1(integer);
DROP FUNCTION tidings.settle_approval_v1(uuid, uuid, text, text, text, timestamptz);
DROP FUNCTION tidings.claim_approval_v1(uuid, uuid, interval, boolean);
DROP FUNCTION tidings.next_send_slot(tidings.send_policies, text, text, boolean, timestamptz, uuid);
DROP FUNCTION tidings.is_answered(uuid, uuid, uuid);
DROP INDEX tidings.messages_of_people_out;
DROP TABLE tidings.send_gateways;
DROP TRIGGER heed_opt_outs ON tidings.messages;
DROP FUNCTION tidings.heed_opt_outs();
DROP FUNCTION tidings.is_opt_out(text, text, text);
DROP FUNCTION tidings.plain_words(text);
DROP TRIGGER announce_moves ON tidings.approvals;
DROP TRIGGER announce_new ON tidings.approvals;
DROP FUNCTION tidings.announce_approvals();
DROP TRIGGER cancel_unwanted ON tidings.do_not_contact;
DROP FUNCTION tidings.cancel_unwanted();
DROP TRIGGER hold_approval ON tidings.approvals;
DROP TRIGGER begin_approval ON tidings.approvals;
DROP FUNCTION tidings.hold_approval();
DROP FUNCTION tidings.begin_approval();
DROP FUNCTION tidings.answers_elsewhere(uuid, uuid, text);
DROP FUNCTION tidings.digest_of(tidings.approvals);
DROP FUNCTION tidings.may_become(text, text);
DROP TABLE tidings.approvals;
DROP TABLE tidings.unsubscribe_links;
DROP FUNCTION tidings.is_do_not_contact(uuid, text);
DROP TABLE tidings.do_not_contact;
DROP TABLE tidings.send_slots;
DROP TRIGGER organizations_open_send_policy ON tidings.organizations;
DROP FUNCTION tidings.open_send_policy();
DROP TABLE tidings.send_policies;
DROP FUNCTION tidings.approval_digest(text, text, text, text, text, uuid, uuid, uuid, boolean);
DROP FUNCTION tidings.are_send_limits(jsonb);
DROP FUNCTION tidings.domains_of(text);
DROP FUNCTION tidings.normalise_contact(text);
DROP FUNCTION tidings.ascii_domain(text);
DROP FUNCTION tidings.punycode(text);
UPDATE tidings.api_keys SET revoked_at = coalesce(revoked_at, tidings.now()), scopes = array_remove(scopes, 'approvals')
WHERE 'approvals' = ANY (scopes);
ALTER TABLE tidings.api_keys
    DROP CONSTRAINT api_keys_scopes_check,
    ADD CONSTRAINT api_keys_scopes_check CHECK (scopes <@ ARRAY[
        'read', 'write', 'kv', 'meetings', 'messages', 'engagement', 'admin']);
