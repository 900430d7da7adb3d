-- name: kv_get_many
-- Reads the keys of a list that are there.
SELECT key, value::text AS value, version, expires_at
FROM tidings.kv_store
WHERE key = ANY (%(keys)b::text[]) AND (expires_at IS NULL OR expires_at > tidings.now())

-- name: kv_list
-- Reads keys of a range in order, and stops after 8 MiB of values.
SELECT page.key, page.value, page.version, page.expires_at, page.more
FROM (
    SELECT key, value, version, expires_at,
           lead(key) OVER in_order IS NOT NULL AS more,
           sum(octet_length(value)) OVER (in_order ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT key, value::text AS value, version, expires_at
        FROM tidings.kv_store
        WHERE key >= %(lower)s AND key < %(upper)s AND key > %(after)s
          AND (expires_at IS NULL OR expires_at > tidings.now())
        ORDER BY key LIMIT %(max)s + 1
    ) AS first_keys
    WINDOW in_order AS (ORDER BY key)
    ORDER BY key LIMIT %(max)s
) AS page
WHERE coalesce(page.before, 0) < 8388608
ORDER BY page.key

-- name: kv_set
-- Sets a key, when if_version or only_if_absent allow it.
SELECT version, expires_at
FROM tidings.kv_set_v1(%(key)s, %(value)s::jsonb, %(ttl)s, %(if_version)s, %(only_if_absent)s)

-- name: kv_set_many
-- Sets several keys in key order.
SELECT key, version, expires_at
FROM tidings.kv_set_many_v1(%(keys)b::text[], %(values)b::text[], %(ttls)b::interval[], %(relaxed)s)

-- name: kv_delete
-- Deletes keys and counts those that were there.
SELECT tidings.kv_delete_v1(%(keys)b::text[], %(if_version)s) AS deleted

-- name: kv_increment
-- Adds to the number of a key.
SELECT value::text AS value, version, expires_at
FROM tidings.kv_increment_v1(%(key)s, %(by)s::numeric, %(ttl)s)

-- name: kv_mutate
-- Runs several operations, all or none when atomic, and answers each in the order asked.
SELECT present AS found, value, version, expires_at, failure, message
FROM tidings.kv_mutate_v1(%(operations)s::jsonb, %(atomic)s) ORDER BY n

-- name: kv_relax
-- Lets this transaction commit without waiting for the disk.
SELECT pg_catalog.set_config('synchronous_commit', 'off', true)

-- name: kv_stats
-- Counts the first keys of the organization, in key order, by what stands before their first colon.
SELECT CASE WHEN strpos(key, ':') > 0 THEN split_part(key, ':', 1) || ':' ELSE '' END AS prefix,
       count(*) AS keys, sum(pg_column_size(value))::bigint AS bytes, count(expires_at) AS expiring,
       min(created_at) AS oldest, max(updated_at) AS newest, min(expires_at) AS next_expiry
FROM (
    SELECT key, value, expires_at, created_at, updated_at FROM tidings.kv_store
    WHERE expires_at IS NULL OR expires_at > tidings.now()
    ORDER BY key LIMIT %(max)s
) AS first_keys
GROUP BY 1 ORDER BY 1

-- name: kv_sweep
-- Deletes some of the expired keys of every organization.
SELECT tidings.sweep_kv_v1(%(max)s)

-- name: kv_watch
-- Begins or joins the watch of a prefix.
SELECT id, since FROM tidings.watch_kv_v1(%(prefix)s)

-- name: kv_watch_barrier
-- Takes a transaction id that is higher than that of every writer under way.
SELECT pg_catalog.pg_current_xact_id()::text AS barrier

-- name: kv_watch_passed
-- Says whether every transaction up to the barrier has ended.
SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) > %(barrier)s::xid8 AS passed

-- name: kv_watch_confirm
-- Notes that the watch misses nothing from here on, null when it lapsed.
SELECT tidings.confirm_kv_watch_v1(%(prefix)s, %(id)s) AS since

-- name: kv_watch_renew
-- Keeps a watch for another 90 seconds, false when it lapsed.
SELECT tidings.renew_kv_watch_v1(%(prefix)s, %(id)s) AS renewed

-- name: kv_delete_range
-- Deletes the first keys of a range, and counts those found and those that had not expired.
WITH first_keys AS MATERIALIZED (
    SELECT ARRAY(SELECT key FROM tidings.kv_store
                 WHERE key >= %(lower)s AND key < %(upper)s ORDER BY key LIMIT %(max)s) AS keys
)
SELECT cardinality(keys) AS found, tidings.kv_delete_v1(keys, NULL) AS deleted FROM first_keys
