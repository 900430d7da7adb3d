"""What automatic answers keep of a person: their rules, and what became of what those matched."""

from tidings.db.queries import load_queries
from tidings.tenancy.own_data import Own

sql = load_queries("tidings.replies")

OWN = (
    Own("rule", sql.own_rules),
    Own("automatic_reply", sql.own_replies),
)
