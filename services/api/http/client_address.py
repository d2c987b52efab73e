"""Finds the address of the client: the peer's, or what a trusted proxy says in X-Forwarded-For."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from flask import Request

Network = IPv4Network | IPv6Network


def client_address(request: Request, trusted: Sequence[Network]) -> str:
    """Return the last address of X-Forwarded-For that is no trusted proxy's; the peer's where the peer is not trusted.

    What stands before that address was written by the client, who may write anything.
    """
    address = request.remote_addr or ""
    forwarded = [part.strip() for value in request.headers.getlist("X-Forwarded-For") for part in value.split(",")]
    for before in reversed(forwarded):
        if not _is_trusted(address, trusted) or not _is_address(before):
            break
        address = before
    return address


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
