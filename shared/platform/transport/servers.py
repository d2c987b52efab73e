"""Checks that PostgreSQL and Redis are reached by a socket, over loopback, or over TLS that verifies the server."""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from shared.platform.transport.listener import is_loopback

VERIFIED = "verify-full"
NO = {"0", "f", "false", "n", "no"}  # what the client of Redis takes for it


def in_the_clear(databases: Mapping[str, str], redis_url: str) -> list[str]:
    """Return what is wrong with the addresses of databases, by setting, and of Redis, without any secret."""
    wrong = [
        f"{name} leads to another machine: add sslmode=verify-full (and sslrootcert)"
        for name, url in databases.items()
        if not _database_is_safe(url)
    ]
    if not _redis_is_safe(redis_url):
        wrong.append("REDIS_URL leads to another machine: use rediss://, with a certificate that is verified")
    return wrong


def _database_is_safe(url: str) -> bool:
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError:
        return True  # connecting names the error
    if given.get("sslmode") == VERIFIED:
        return True
    hosts = str(given.get("hostaddr") or given.get("host") or "").split(",")
    return all(not host or host.startswith(("/", "@")) or is_loopback(host) for host in hosts)


def _redis_is_safe(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "rediss":
        asked = parse_qs(parts.query.lower())
        names_host = NO.isdisjoint(asked.get("ssl_check_hostname", ()))
        return "none" not in asked.get("ssl_cert_reqs", ()) and names_host
    return parts.scheme == "unix" or is_loopback(parts.hostname or "localhost")
