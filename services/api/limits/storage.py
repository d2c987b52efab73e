"""Counts requests in Redis by key and minute, a block at a time, and never makes a request wait for Redis for long."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from limits.storage import Storage
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger(__name__)

SCHEME = "psoas"  # by which Flask-Limiter finds this storage
TIMEOUT_SECONDS = 0.02  # for a request
REDIS_SECONDS = 1.0  # for Redis: connecting, over TLS above all, goes on while its request is answered uncounted
THREADS = 4
OPEN_SECONDS = 1.0  # after a failure: until then nobody asks, and nobody is limited
MAX_KEYS = 10_000  # whose blocks one process keeps


@dataclass(slots=True)
class Block:
    """Numbers that this process has taken from the count of one minute, and gives to requests without asking again."""

    minute: int
    next: int
    last: int


class CountStorage(Storage):
    """The storage of a fixed window: one INCRBY for each block of requests.

    Two processes never give the same number twice, so the limit holds for all of them together; what a process has
    taken and not used by the end of the minute is lost, at most one block each. While Redis does not answer, each
    request counts as the first of its minute.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - the library's attribute

    def __init__(
        self,
        uri: str,
        *,
        redis_url: str,
        block: int,
        now: Callable[[], float] = time.time,
        wrap_exceptions: bool = False,
    ) -> None:
        """Prepare for the Redis at `redis_url`; nothing connects before the first request."""
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        timeouts = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
        self._redis = Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0), **timeouts)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="limits")
        self._block, self._now = max(1, block), now
        self._lock = threading.Lock()
        self._blocks: dict[str, Block] = {}
        self._closed_until = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return the class of Redis' errors."""
        return RedisError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Return the number of this request within its minute, from 1; 0 where Redis does not answer."""
        minute = int(self._now()) // expiry
        with self._lock:
            block = self._blocks.get(key)
            if block and block.minute == minute and block.next + amount - 1 <= block.last:
                block.next += amount
                return block.next - 1
            if time.monotonic() < self._closed_until:
                return 0
        size = max(self._block, amount)
        last = self._taken_in_time(f"limits:{key}:{minute}", size, 2 * expiry)
        if last is None:
            return 0
        with self._lock:
            if len(self._blocks) >= MAX_KEYS:
                self._blocks.clear()
            self._blocks[key] = Block(minute, last - size + 1 + amount, last)
        return last - size + amount

    def get(self, key: str) -> int:
        """Return the number of the last request that this process has counted."""
        with self._lock:
            block = self._blocks.get(key)
            return block.next - 1 if block else 0

    def get_expiry(self, key: str) -> float:  # noqa: ARG002 - the library's interface
        """Return when the current minute ends."""
        return (int(self._now()) // 60 + 1) * 60

    def check(self) -> bool:
        """Say whether Redis is asked."""
        return time.monotonic() >= self._closed_until

    def reset(self) -> int | None:
        """Forget the blocks of this process."""
        with self._lock:
            count = len(self._blocks)
            self._blocks.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget the block of one key."""
        with self._lock:
            self._blocks.pop(key, None)

    def _taken_in_time(self, name: str, size: int, seconds: int) -> int | None:
        """Take `size` numbers; return the last one. After a failure nobody asks for OPEN_SECONDS (circuit breaker)."""
        taking = self._threads.submit(self._take, name, size, seconds)
        try:
            return taking.result(TIMEOUT_SECONDS)
        except (RedisError, OSError, ValueError) as error:
            taking.cancel()
            with self._lock:
                was_closed = time.monotonic() < self._closed_until
                self._closed_until = time.monotonic() + OPEN_SECONDS
            if not was_closed:
                log.warning("limits.uncounted", error=type(error).__name__)
            return None

    def _take(self, name: str, size: int, seconds: int) -> int:
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.incrby(name, size)
            pipeline.expire(name, seconds)
            return int(pipeline.execute()[0])
