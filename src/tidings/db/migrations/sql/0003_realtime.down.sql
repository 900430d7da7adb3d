DROP FUNCTION tidings.sweep_outbox_v1(integer);
DROP FUNCTION tidings.events_after_v1(bigint, integer);
DROP FUNCTION tidings.outbox_bounds_v1();
DROP FUNCTION tidings.release_relay_v1(text);
DROP FUNCTION tidings.relay_v1(text, integer, interval, boolean);
DROP FUNCTION tidings.publish_for_v1(uuid, text, text, jsonb);
DROP FUNCTION tidings.publish_v1(text, text, jsonb);
DROP TABLE tidings.relay_lease;
DROP TABLE tidings.outbox;
