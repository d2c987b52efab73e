"""Checks the URL of a destination: strictly, so that all programs on the way read the same host in it."""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

import click

MAX_LENGTH = 2048
# Letters, digits and hyphens of RFC 1123: no escapes, no underscores, and other scripts in their ASCII form (xn--…).
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)


def check_url(url: str, *, insecure: bool) -> None:
    """Raise click.BadParameter for what no delivery could be sent to, or only in the clear."""
    try:
        parts = urlsplit(url)
        whole = url.isascii() and url.isprintable() and not set(url) & set(" \\") and (parts.port or 1)
    except ValueError:
        raise click.BadParameter("not a URL", param_hint="URL") from None
    if parts.scheme not in ("http", "https") or not whole or len(url) > MAX_LENGTH or not parts.hostname:
        raise click.BadParameter("a URL like https://his.example/referrals is needed", param_hint="URL")
    if "@" in parts.netloc or parts.fragment:
        raise click.BadParameter("no user, password or fragment may stand in it", param_hint="URL")
    if not _is_host(parts):
        raise click.BadParameter(
            "the host is no name of letters, digits and hyphens, and no address: write names of other scripts as xn--…",
            param_hint="URL",
        )
    if parts.scheme == "http" and not insecure:
        raise click.BadParameter("http:// sends in the clear: use https://, or add --insecure", param_hint="URL")


def _is_host(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        labels = host.removesuffix(".").split(".")
        # Where the last label is a number, some programs read an address in it: 127.1, 0x7f.1, 2130706433.
        is_number = labels[-1].isdecimal() or labels[-1].lower().startswith("0x")
        return len(host) <= 253 and not is_number and all(map(_LABEL.fullmatch, labels))
    in_brackets = parts.netloc.startswith("[")
    return isinstance(address, IPv6Address) == in_brackets and "%" not in host
