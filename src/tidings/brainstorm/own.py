"""What brainstorms keep of a person: their boards, ideas and votes."""

from tidings.db.queries import load_queries
from tidings.tenancy.own_data import Own

sql = load_queries("tidings.brainstorm")

OWN = (
    Own("brainstorm", sql.own_brainstorms),
    Own("collaboration", sql.own_collaborations),
    Own("idea", sql.own_ideas),
    Own("vote", sql.own_votes),
)
