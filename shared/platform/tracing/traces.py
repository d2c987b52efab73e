"""Traces by OpenTelemetry: spans of requests, statements, triage and deliveries, where an OTLP endpoint is set.

Without OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is loaded, and a span is an empty block. A span names
routes, ids, queues and durations. It never has a body, a header, a value of a statement or the text of an exception.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any, Literal

import psycopg

from shared.platform.settings import Settings

EXPORTER = "shared.platform.tracing.trace_exporter"  # by name: it loads OpenTelemetry
Kind = Literal["SERVER", "CLIENT", "CONSUMER", "PRODUCER", "INTERNAL"]
Attributes = Mapping[str, str | int | float | bool]


class Span:
    """A span that is under way; `traceparent` names it to others, None where nothing is traced."""

    traceparent: str | None = None

    def set(self, **attributes: str | int | float | bool) -> None:
        """Add attributes; `_` stands for the dot in their names."""

    def fail(self, error: str) -> None:
        """Mark the span as failed, by the class of an error."""


class Tracer:
    """Makes spans that are recorded nowhere: what every process has until an endpoint is set."""

    enabled = False

    def span(
        self,
        name: str,  # noqa: ARG002 - the signature of the tracer that records
        *,
        kind: Kind = "INTERNAL",  # noqa: ARG002
        parent: str | None = None,  # noqa: ARG002
        attributes: Attributes | None = None,  # noqa: ARG002
    ) -> AbstractContextManager[Span]:
        """Return a block that is one span, a child of the span around it or of the `traceparent` given as `parent`."""
        return _NOTHING

    def record(
        self, name: str, seconds: float, *, parent: str | None, attributes: Attributes, kind: Kind = "INTERNAL"
    ) -> None:
        """Record a span that has just ended and took `seconds`."""


_NOTHING: AbstractContextManager[Span] = nullcontext(Span())
_tracer = Tracer()


def tracer() -> Tracer:
    """Return the tracer of this process."""
    return _tracer


def configure_traces(settings: Settings, role: str) -> None:
    """Export this process's spans to the settings' endpoint, if there is one; once a process, after any fork."""
    global _tracer
    if settings.otlp_endpoint and not _tracer.enabled:
        _tracer = import_module(EXPORTER).create(settings.otlp_endpoint, role)


def traced_cursor(settings: Settings) -> dict[str, Any]:
    """Return what a connection to PostgreSQL needs so that each of its statements is a span."""
    return {"cursor_factory": TracedCursor} if settings.otlp_endpoint else {}


class TracedCursor(psycopg.Cursor[Any]):
    """A cursor whose statements are spans, named by their first word; the text has placeholders and no values."""

    def execute(self, query: Any, *arguments: Any, **options: Any) -> "TracedCursor":
        """Execute a statement in a span."""
        words = str(query).split(maxsplit=1)
        name = words[0].lower() if words else "statement"
        attributes = {"db.system.name": "postgresql", "db.operation.name": name}
        with _tracer.span(f"sql {name}", kind="CLIENT", attributes=attributes) as span:
            try:
                super().execute(query, *arguments, **options)
            except psycopg.Error as error:
                span.fail(type(error).__name__)
                raise
        return self
