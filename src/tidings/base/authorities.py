"""Whom TLS trusts: the authorities of `certifi`, or of SSL_CERT_FILE and SSL_CERT_DIR."""

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """Read once a process for all its clients: reading takes longer than many a request."""
    return httpx.create_ssl_context()
