"""Tidings: self-hosted engagement intelligence on one Postgres."""

__version__ = "0.1.0"
