"""Rate limits: requests of a key, and of an address without one, within a minute; red flags are taken all the same.

Flask-Limiter keeps its storage and strategy here, and this module calls the strategy: its own evaluation of limits and
its headers would cost each request 0.25 ms, a tenth of a post; this costs 0.04 (docs/performance.md).
"""

import time
from collections.abc import Callable

import structlog
from flask import Flask, Response, g, request
from flask_limiter import Limiter
from limits import RateLimitItem, RateLimitItemPerMinute

from services.api.access.actor import client_address
from services.api.http.problems import ProblemError
from services.api.limits.storage import SCHEME
from shared.platform.settings import Settings
from shared.platform.task_queues import Lane

log = structlog.get_logger(__name__)

UNLIMITED = frozenset({"health.live", "health.ready", "metrics.metrics"})  # probes, and Prometheus by its token
FORMS = frozenset({"intakes.post_intake", "batch.post_batch"})  # they may hold a red flag, so they are read first
BLOCKS = 1000  # in a limit: so many times a minute a process asks Redis for one key at most


def register(app: Flask, settings: Settings) -> None:
    """Count every request once its key is known, and say in each answer what is left."""
    block = settings.requests_per_minute // BLOCKS
    limiter = Limiter(
        _name,
        app=app,
        storage_uri=f"{SCHEME}://",
        storage_options={"redis_url": settings.redis_url, "block": block},
        strategy="fixed-window",
    )
    of_key = RateLimitItemPerMinute(settings.requests_per_minute)
    of_address = RateLimitItemPerMinute(settings.keyless_requests_per_minute)
    app.before_request(_check(limiter, of_key, of_address))
    app.after_request(_say)


def refuse_excess(lane: Lane) -> None:
    """Raise ProblemError 429 for a form of a sender over its limit, unless a red flag may be in it."""
    if not g.get("over_limit"):
        return
    if lane == "priority":
        log.warning("limits.red_flag_over_limit", lane=lane)
        return
    raise too_many()


def too_many() -> ProblemError:
    """Return the problem of a request over the limit."""
    return ProblemError(
        429,
        "More requests came within this minute than are allowed. Please send the same again later.",
        kind="rate-limit",
        headers={"Retry-After": str(_seconds_left())},
    )


def _check(limiter: Limiter, of_key: RateLimitItem, of_address: RateLimitItem) -> Callable[[], None]:
    def check() -> None:
        if request.routing_exception is None and request.endpoint in UNLIMITED:
            return
        limit, name = (of_key if "key" in g else of_address), _name()
        allowed = limiter.limiter.hit(limit, name)
        g.limit = limit, limit.amount - limiter.storage.get(limit.key_for(name)) if allowed else 0
        if allowed:
            return
        if request.endpoint not in FORMS:
            raise too_many()
        g.over_limit = True

    return check


def _name() -> str:
    return f"key/{g.key.id}" if "key" in g else f"address/{client_address()}"


def _say(response: Response) -> Response:
    if "limit" in g:
        limit, left = g.limit
        policy = f'"minute";q={limit.amount};w=60'
        response.headers.add_header("RateLimit-Policy", policy)
        response.headers.add_header("RateLimit", f'"minute";r={max(0, left)};t={_seconds_left()}')
    return response


def _seconds_left() -> int:
    return 60 - int(time.time()) % 60
