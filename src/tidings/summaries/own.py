"""What summaries keep of a person: their digests and catch-ups, and when a digest is made."""

from tidings.db.queries import load_queries
from tidings.tenancy.own_data import Own

sql = load_queries("tidings.summaries")

OWN = (
    Own("digest_schedule", sql.own_digest_schedules),
    Own("summary", sql.own_summaries),
)
