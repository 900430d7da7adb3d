"""The queries that ask a database's catalog for every object of Tidings."""
