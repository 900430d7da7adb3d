DROP FUNCTION tidings.complete_engagement_v1(text, uuid, jsonb, interval);
DROP FUNCTION tidings.start_engagement_v1(uuid, text, jsonb, boolean, jsonb, interval, interval);
DROP TRIGGER engagement_record_follows_run ON tidings.runs;
DROP FUNCTION tidings.engagement_record_follows_run();
DROP FUNCTION tidings.wire_time(timestamptz);
DROP TABLE tidings.engagement_editions;
