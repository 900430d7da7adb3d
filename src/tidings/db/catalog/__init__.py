"""What the catalog of a database says of Tidings' objects: the queries that `verify` compares by."""
