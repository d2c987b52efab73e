"""Says whether the broker answers, for those who only report it."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from shared.settings import Settings

PATIENCE_SECONDS = 0.3


def broker_answers(settings: Settings) -> bool:
    """Say whether the broker answers at once."""
    limits = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    try:
        with Redis.from_url(settings.redis_url, retry=Retry(NoBackoff(), 0), **limits) as broker:
            return bool(broker.ping())
    except RedisError:
        return False
