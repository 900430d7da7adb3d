"""What channels keep of a person: which they belong to, and how far they have read."""

from tidings.db.queries import load_queries
from tidings.tenancy.own_data import Own

sql = load_queries("tidings.messages")

OWN = (Own("channel", sql.own_channels),)
