"""Connects to the API that this very `referrals up` has started, over TLS where it has a certificate."""

import ssl
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit


def own_context() -> ssl.SSLContext:
    """Return a context that takes any certificate: it is for probes, which send no secret and trust no answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the certificate names the host that others use, not this address
    context.verify_mode = ssl.CERT_NONE
    return context


def own_connection(url: str, seconds: float) -> HTTPConnection:
    """Return a connection to `url`, not opened yet."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return HTTPSConnection(parts.netloc, timeout=seconds, context=own_context())
    return HTTPConnection(parts.netloc, timeout=seconds)
