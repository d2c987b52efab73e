"""Traces by OpenTelemetry: spans of requests, statements, triage and deliveries, where an OTLP endpoint is set.

Without OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is loaded, and a span is an empty block. A span names
routes, ids, queues and durations. It never has a body, a header, a value of a statement or the text of an exception.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import psycopg

from shared.platform.settings import Settings

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
        _tracer = _create(settings.otlp_endpoint, role)


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


def _create(endpoint: str, role: str) -> Tracer:
    """Return a tracer that exports; OpenTelemetry is loaded here and nowhere else."""
    from importlib.metadata import version

    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    resource = Resource({"service.name": "psoas", "service.version": version("psoas"), "psoas.role": role})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    spans, propagator = provider.get_tracer("psoas"), TraceContextTextMapPropagator()

    class Recording(Span):
        def __init__(self, span: Any) -> None:
            self._span = span
            carrier: dict[str, str] = {}
            propagator.inject(carrier, trace.set_span_in_context(span))
            self.traceparent = carrier.get("traceparent")

        def set(self, **attributes: str | int | float | bool) -> None:
            for name, value in attributes.items():
                self._span.set_attribute(name.replace("_", "."), value)

        def fail(self, error: str) -> None:
            self._span.set_status(trace.StatusCode.ERROR)
            self._span.set_attribute("error.type", error)

    class ExportingTracer(Tracer):
        enabled = True

        @contextmanager
        def span(
            self,
            name: str,
            *,
            kind: Kind = "INTERNAL",
            parent: str | None = None,
            attributes: Attributes | None = None,
        ) -> Iterator[Span]:
            with spans.start_as_current_span(
                name,
                context=propagator.extract({"traceparent": parent}) if parent else None,
                kind=trace.SpanKind[kind],
                attributes=dict(attributes or {}),
                record_exception=False,  # its text may repeat an answer
                set_status_on_exception=False,
            ) as span:
                yield Recording(span)

        def record(
            self, name: str, seconds: float, *, parent: str | None, attributes: Attributes, kind: Kind = "INTERNAL"
        ) -> None:
            end = time.time_ns()
            spans.start_span(
                name,
                context=propagator.extract({"traceparent": parent}) if parent else None,
                kind=trace.SpanKind[kind],
                attributes=dict(attributes),
                start_time=end - round(seconds * 1e9),
            ).end(end)

    return ExportingTracer()
