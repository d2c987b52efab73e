"""Writes log lines as JSON to standard error, with only the keys listed below: the path of a case, never the patient.

A library's own message is reduced to its fixed wording, without what it put in; an error to its class.
"""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from shared.platform.settings import Settings

ALLOWED = frozenset(
    {
        *("timestamp", "level", "event", "logger"),
        *("request_id", "traceparent", "key_id", "method", "route", "status", "duration_ms"),
        *("intake_id", "referral_id", "lane", "queue", "queues", "priority", "rules", "attempts", "count", "seconds"),
        *("check", "number", "digest", "head", "delivery_id", "destination_id"),
        *("protocol", "rule", "error", "host", "where", "process", "port", "pid", "task", "rung", "broker"),
    }
)
OWN = ("broker", "error")  # what a filter of ours puts on a library's record


def configure_logs(settings: Settings) -> None:
    """Send this process's log lines, and those of its libraries, through the list.

    Its own go straight to the output: on the way through `logging` each would cost several times as much.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        keep_allowed,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(orjson.dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[keep_wording, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(_json),
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(settings.log_level)
    for chatty in ("alembic", "celery", "kombu", "httpcore"):  # they report every look, message and address
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.root.level))


def keep_allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop whatever the list does not name."""
    return {key: value for key, value in event.items() if key in ALLOWED or key.startswith("_")}


def keep_wording(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Reduce a library's record to the wording in its code, and its exception to a class."""
    record: logging.LogRecord = event["_record"]
    wording: dict[str, Any] = {"event": record.msg if isinstance(record.msg, str) else type(record.msg).__name__}
    wording |= {name: value for name in OWN if (value := getattr(record, name, None))}
    if record.exc_info and record.exc_info[0]:
        wording["error"] = record.exc_info[0].__name__
        record.exc_info = None
    return {**event, **wording}


def _json(event: EventDict, **options: Any) -> str:
    return orjson.dumps(event, **options).decode()
