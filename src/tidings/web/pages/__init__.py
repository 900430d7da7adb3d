"""The pages: thin doors to the same calls as the API."""
