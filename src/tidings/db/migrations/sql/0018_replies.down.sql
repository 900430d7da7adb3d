DROP FUNCTION tidings.claim_auto_replies_v1(uuid, bigint, bigint, jsonb);
DROP FUNCTION tidings.auto_reply_guards_v1(jsonb, timestamptz);
DROP FUNCTION tidings.sweep_auto_responses_v1(interval, integer);
DROP TABLE tidings.auto_response_positions;
DROP TABLE tidings.message_auto_response_log;
DROP TABLE tidings.message_auto_responses;
DROP FUNCTION tidings.count_auto_responses();
DROP FUNCTION tidings.keep_auto_response_log();
