"""What may leave: drafts, decisions, and the one way out."""
