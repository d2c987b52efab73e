"""Checks the broker for `referrals doctor`: whether it answers, has memory left, and evicts nothing."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from services.cli.checks.findings import Finding, found
from shared.monitoring.disk_level import MIB
from shared.platform.settings import Settings

TIMEOUT_SECONDS = 2.0
FULL_SHARE = 0.8


def check_broker(settings: Settings) -> Finding:
    """Return how the broker is. Without it red flags are still routed, and routine forms wait."""
    limits = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    try:
        with Redis.from_url(settings.redis_url, retry=Retry(NoBackoff(), 0), **limits) as broker:
            memory = broker.info("memory")
    except RedisError as error:
        return Finding("broker", "fail", f"does not answer ({type(error).__name__})", "start Redis, or see REDIS_URL")
    used, most, policy = (memory[name] for name in ("used_memory", "maxmemory", "maxmemory_policy"))
    says = f"{used / MIB:.0f} of {most / MIB:.0f} MiB, {policy}"
    if policy != "noeviction":
        return Finding("broker", "fail", says, "set maxmemory-policy noeviction: it drops messages in silence")
    return found("broker", 0 < used < FULL_SHARE * most, says, "set maxmemory, or give it more", otherwise="warn")
