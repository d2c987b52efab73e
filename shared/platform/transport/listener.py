"""Decides whether a listener may speak plain HTTP: on loopback, or where an operator says that TLS ends before it."""

from ipaddress import ip_address
from pathlib import Path


class PlainHttpError(Exception):
    """Identities would pass in the clear, or the certificate is incomplete; the message says what to do."""


def check_listener(host: str, certificate: Path | None, key: Path | None, *, insecure: bool) -> None:
    """Raise PlainHttpError unless a listener on `host` speaks TLS, is on loopback, or is `insecure` by choice."""
    if (certificate is None) != (key is None):
        raise PlainHttpError("TLS_CERTIFICATE_FILE and TLS_KEY_FILE are needed together")
    for file in filter(None, (certificate, key)):
        if not file.is_file():
            raise PlainHttpError(f"{file} is no file: TLS_CERTIFICATE_FILE and TLS_KEY_FILE name a chain and its key")
    if certificate is None and not insecure and not is_loopback(host):
        raise PlainHttpError(
            f"{host} is reached by other machines, and plain HTTP would carry identities in the clear: set"
            " TLS_CERTIFICATE_FILE and TLS_KEY_FILE, or add --insecure where a proxy in front ends TLS"
        )


def is_loopback(host: str) -> bool:
    """Say whether `host` is an address that other machines do not reach."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
