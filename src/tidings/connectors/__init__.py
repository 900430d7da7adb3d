"""How messages leave: SMTP, and webhooks signed for the customer's own gateways."""
