"""Reads the settings of a deployment from the environment, once, and freezes them.

A variable without a default is required: all that are missing or malformed are named together, and nothing starts.
There are no default secrets, and every variable may come from a file instead (`DATABASE_URL_FILE`).
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar

from environs import EnvError, FileAwareEnv, validate

from shared.platform.data_keys.encoding import KeyReader, KeyTextError
from shared.platform.data_keys.wrapping import AesKeyWrapper, KeyWrapper
from shared.platform.transport.servers import in_the_clear

Key = TypeVar("Key")
_optional_url = validate.Regexp("^(postgres(ql)?://.*)?$")
_ISSUER = (
    r"^(|https://.+|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/.*)?)$"  # in the clear on this machine alone
)


class SettingsError(Exception):
    """One or more variables are missing or malformed; the message names every one, and no secret."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The deployment's choices. Secrets stay out of `repr`."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    identity_keys: Mapping[str, bytes] = field(repr=False)  # by key id; the first one writes, all of them read
    lookup_key: bytes = field(repr=False)  # keys the hashes by which record numbers and bodies are compared
    previous_lookup_key: bytes | None = field(default=None, repr=False)  # tried, too, until `keys rotate-lookup`
    webhook_keys: Mapping[str, bytes] = field(
        default_factory=dict, repr=False
    )  # of webhooks' secrets, where they are other
    sealing_format: int = 2  # 1 while a release that reads no other still runs
    owner_database_url: str = field(default="", repr=False)  # of the role that owns the schema; only `migrate` uses it
    reader_database_url: str = field(default="", repr=False)  # of a role that only reads; the audit prefers it
    maintenance_database_url: str = field(default="", repr=False)  # of the role that may erase what is old
    # Keys the seals of events, referrals, decisions and API keys. Without it nothing is sealed.
    chain_key: bytes | None = field(default=None, repr=False)
    chain_head_file: Path | None = None  # gets the signed head of the chain every hour
    chain_head_url: str = ""  # gets it, too, by HTTPS
    heartbeat_file: Path | None = None  # touched by a worker or watchman while it is at work
    api_threads: int = 16
    event_streams: int = 8  # readers that one API process streams events to, each on a thread of its own
    holidays: frozenset[date] = frozenset()  # days that are no working days at this site
    log_level: str = "INFO"
    destinations_allow_loopback: bool = False  # whether a department's system may be on this very machine
    stop_seconds: float = 15  # how long a worker that is stopped may go on with the task it has
    metrics_dir: Path | None = None  # where the processes of one machine or container count together
    metrics_port: int = 0  # where a worker or watchman answers Prometheus, if at all; the API does on its own port
    metrics_token: str = field(
        default="", repr=False
    )  # what Prometheus has to present to the API; without it nothing opens /metrics
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()  # whose X-Forwarded-For is believed
    oidc_issuer: str = ""  # the hospital's identity provider, through which persons sign in to the console
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)  # without it this is a public client, with PKCE alone
    oidc_claim: str = "sub"  # of the ID token: the login by which a person was added
    oidc_scope: str = "openid"
    oidc_redirect_uri: str = ""  # where the provider leads back to, where this cannot be seen from a request
    otlp_endpoint: str = ""  # where spans are sent by OTLP over HTTP, if anywhere
    storage_path: Path | None = None  # a folder on the database's disk, where that is a disk of this machine
    environment_name: str = ""  # such as "test", shown on every page of the console
    tls_certificate_file: Path | None = None  # the chain that the API's listener shows; without it plain HTTP
    tls_key_file: Path | None = None
    requests_per_minute: int = 60_000  # of one key
    keyless_requests_per_minute: int = 6_000  # of one address, for what needs no key
    data_network_trusted: bool = False  # PostgreSQL and Redis are in a network of their own: no TLS is asked of them
    database_most_gb: float = 0  # how large the database may become, where its disk cannot be seen; 0 is no limit

    def as_owner(self) -> "Settings":
        """Return these settings for a process that connects as the owner of the schema, where it has a role apart."""
        return replace(self, database_url=self.owner_database_url or self.database_url)

    def as_reader(self) -> "Settings":
        """Return these settings for a process that only reads."""
        return replace(self, database_url=self.reader_database_url or self.database_url)

    def as_maintenance(self) -> "Settings":
        """Return these settings for a process that seals anew and erases."""
        return replace(self, database_url=self.maintenance_database_url or self.as_owner().database_url)

    @property
    def lookup_keys(self) -> tuple[bytes, ...]:
        """The keys of hashes that rows may have, the present one first."""
        return (self.lookup_key, *([self.previous_lookup_key] if self.previous_lookup_key else []))

    @property
    def broker_url(self) -> str:
        """`redis_url` as Celery wants it: another scheme for a Unix socket, and TLS verifies where that is said."""
        url = self.redis_url.replace("unix://", "redis+socket://", 1)
        if url.startswith("rediss://") and "ssl_cert_reqs" not in url:
            url += f"{'&' if '?' in url else '?'}ssl_cert_reqs=required"
        return url


def load_settings(without: Collection[str] = ()) -> Settings:
    """Read the settings from the environment; raise SettingsError naming every missing or malformed variable.

    A process that does not use IDENTITY_KEYS, LOOKUP_KEY or REDIS_URL says so in `without`: then they may be missing.
    """
    try:
        env = _reader()
        values = _servers_and_secrets(env, without) | _choices(env)
        env.seal()
    except ValueError as error:  # of a file that cannot be read, too
        raise SettingsError(str(error)) from None
    _check_together(values)
    return Settings(**values)


def load_key_wrapper() -> KeyWrapper:
    """Return what wraps data keys, as the environment chooses it; raise SettingsError where it does not."""
    env = FileAwareEnv(strip_whitespace=True)
    try:
        wrapper = _key_wrapper(env)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if wrapper is None:
        raise SettingsError("Set KEY_ENCRYPTION_KEY_FILE to a file with the key that wraps: base64 of 32 bytes.")
    return wrapper


def given_values(names: Collection[str]) -> dict[str, str]:
    """Return those of `names` that are set, as they are given: keys that are wrapped stay so."""
    env = FileAwareEnv(strip_whitespace=True)
    found = {name: env.str(name, "") for name in names}
    return {name: value for name, value in found.items() if value}


def _reader() -> FileAwareEnv:
    env = FileAwareEnv(eager=False, strip_whitespace=True)
    env.add_parser("level", _level)
    env.add_parser("folder", _folder)
    env.add_parser("networks", _networks)
    keys = KeyReader(_key_wrapper(env))
    env.add_parser("key", partial(_parsed, keys.key))
    env.add_parser("optional_key", lambda value: _parsed(keys.key, value) if value else None)
    env.add_parser("keys", partial(_parsed, keys.keys))
    env.add_parser("optional_keys", lambda value: _parsed(keys.keys, value) if value else {})
    return env


def _key_wrapper(env: FileAwareEnv) -> KeyWrapper | None:
    """Return what unwraps data keys, if anything does: here a key management service is chosen, by its own settings."""
    env.add_parser("key_encryption_key", lambda value: _parsed(KeyReader().key, value) if value else None)
    wrapping = env.key_encryption_key("KEY_ENCRYPTION_KEY", "")
    return AesKeyWrapper(wrapping) if wrapping else None


def _servers_and_secrets(env: FileAwareEnv, without: Collection[str]) -> dict[str, Any]:
    redis = validate.Regexp("^(rediss?|unix)://")
    broker = env.str("REDIS_URL", "") if "REDIS_URL" in without else env.str("REDIS_URL", validate=redis)
    identity = env.optional_keys("IDENTITY_KEYS", "") if "IDENTITY_KEYS" in without else env.keys("IDENTITY_KEYS")
    lookup = env.optional_key("LOOKUP_KEY", "") if "LOOKUP_KEY" in without else env.key("LOOKUP_KEY")
    return {
        "database_url": env.str("DATABASE_URL", validate=validate.Regexp("^postgres(ql)?://")),
        "owner_database_url": env.str("OWNER_DATABASE_URL", "", validate=_optional_url),
        "reader_database_url": env.str("READER_DATABASE_URL", "", validate=_optional_url),
        "maintenance_database_url": env.str("MAINTENANCE_DATABASE_URL", "", validate=_optional_url),
        "redis_url": broker,
        "identity_keys": identity,
        "lookup_key": lookup or b"",
        "previous_lookup_key": env.optional_key("LOOKUP_KEY_PREVIOUS", ""),
        "webhook_keys": env.optional_keys("WEBHOOK_KEYS", ""),
        "sealing_format": env.int("SEALING_FORMAT", 2, validate=validate.OneOf((1, 2))),
        "chain_key": env.optional_key("CHAIN_KEY", ""),
        "chain_head_file": env.folder("CHAIN_HEAD_FILE", None),
        "chain_head_url": env.str("CHAIN_HEAD_URL", "", validate=validate.Regexp("^(https://.+)?$")),
    }


def _choices(env: FileAwareEnv) -> dict[str, Any]:
    return {
        "heartbeat_file": env.path("HEARTBEAT_FILE", None),
        "api_threads": env.int("API_THREADS", 16, validate=validate.Range(2, 256)),
        "event_streams": env.int("EVENT_STREAMS", 8, validate=validate.Range(0, 1000)),
        "holidays": frozenset(env.list("HOLIDAYS", [], subcast=date.fromisoformat) or ()),
        "log_level": env.level("LOG_LEVEL", "INFO"),
        "destinations_allow_loopback": env.bool("DESTINATIONS_ALLOW_LOOPBACK", False),
        "stop_seconds": env.float("STOP_SECONDS", 15, validate=validate.Range(0, 600)),
        "metrics_dir": env.folder("METRICS_DIR", None),
        "metrics_port": env.int("METRICS_PORT", 0, validate=validate.Range(0, 65535)),
        "metrics_token": env.str("METRICS_TOKEN", ""),
        "trusted_proxies": env.networks("TRUSTED_PROXIES", ""),
        "oidc_issuer": env.str("OIDC_ISSUER", "", validate=validate.Regexp(_ISSUER)),
        "oidc_client_id": env.str("OIDC_CLIENT_ID", ""),
        "oidc_client_secret": env.str("OIDC_CLIENT_SECRET", ""),
        "oidc_claim": env.str("OIDC_CLAIM", "sub"),
        "oidc_scope": env.str("OIDC_SCOPE", "openid"),
        "oidc_redirect_uri": env.str("OIDC_REDIRECT_URI", ""),
        "otlp_endpoint": env.str("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        "storage_path": env.folder("STORAGE_PATH", None),
        "environment_name": env.str("ENVIRONMENT_NAME", "", validate=validate.Length(max=24)),
        "tls_certificate_file": env.folder("TLS_CERTIFICATE_FILE", None),
        "tls_key_file": env.folder("TLS_KEY_FILE", None),
        "requests_per_minute": env.int("REQUESTS_PER_MINUTE", 60_000, validate=validate.Range(1)),
        "keyless_requests_per_minute": env.int("KEYLESS_REQUESTS_PER_MINUTE", 6_000, validate=validate.Range(1)),
        "data_network_trusted": env.bool("DATA_NETWORK_TRUSTED", False),
        "database_most_gb": env.float("DATABASE_MOST_GB", 0, validate=validate.Range(0)),
    }


def _check_together(values: Mapping[str, Any]) -> None:
    """Raise SettingsError for values that are valid each, and not with the others."""
    if values["oidc_issuer"] and not values["oidc_client_id"]:
        raise SettingsError("OIDC_ISSUER needs OIDC_CLIENT_ID.")
    if values["data_network_trusted"]:
        return
    databases = {name.upper(): values[name] for name in values if name.endswith("database_url") and values[name]}
    if wrong := in_the_clear(databases, values["redis_url"]):
        choice = "or set DATA_NETWORK_TRUSTED=true where no other machine is in that network"
        raise SettingsError("; ".join([*wrong, choice]))


def _parsed(parse: Callable[[str], Key], value: str) -> Key:
    try:
        return parse(value)
    except KeyTextError as error:
        raise EnvError(str(error)) from None


def _level(value: str) -> str:
    if value not in logging.getLevelNamesMapping():
        raise EnvError("Not a log level.")
    return value


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise EnvError("Not a list of networks, as 10.0.0.0/8.") from None


def _folder(value: str) -> Path | None:
    return Path(value) if value else None
