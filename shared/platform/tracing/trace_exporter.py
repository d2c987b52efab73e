"""The tracer that exports: spans by OpenTelemetry, sent by OTLP over HTTP. Loaded only where an endpoint is set."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.platform.tracing.traces import Attributes, Kind, Span, Tracer

_PROPAGATOR = TraceContextTextMapPropagator()


def create(endpoint: str, role: str) -> Tracer:
    """Return a tracer that sends the spans of a process of this role to `endpoint`."""
    resource = Resource({"service.name": "psoas", "service.version": version("psoas"), "psoas.role": role})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    return ExportingTracer(provider.get_tracer("psoas"))


class RecordedSpan(Span):
    """A span that is exported when it ends."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, trace.set_span_in_context(span))
        self.traceparent = carrier.get("traceparent")

    def set(self, **attributes: str | int | float | bool) -> None:
        """Add attributes; `_` stands for the dot in their names."""
        for name, value in attributes.items():
            self._span.set_attribute(name.replace("_", "."), value)

    def fail(self, error: str) -> None:
        """Mark the span as failed, by the class of an error."""
        self._span.set_status(trace.StatusCode.ERROR)
        self._span.set_attribute("error.type", error)


class ExportingTracer(Tracer):
    """Makes spans that are exported."""

    enabled = True

    def __init__(self, spans: trace.Tracer) -> None:
        self._spans = spans

    @contextmanager
    def span(
        self, name: str, *, kind: Kind = "INTERNAL", parent: str | None = None, attributes: Attributes | None = None
    ) -> Iterator[Span]:
        """Run a block as one span."""
        with self._spans.start_as_current_span(
            name,
            context=_context_of(parent),
            kind=trace.SpanKind[kind],
            attributes=dict(attributes or {}),
            record_exception=False,  # its text may repeat an answer
            set_status_on_exception=False,
        ) as span:
            yield RecordedSpan(span)

    def record(
        self, name: str, seconds: float, *, parent: str | None, attributes: Attributes, kind: Kind = "INTERNAL"
    ) -> None:
        """Record a span that has just ended and took `seconds`."""
        end = time.time_ns()
        span: Any = self._spans.start_span(
            name,
            context=_context_of(parent),
            kind=trace.SpanKind[kind],
            attributes=dict(attributes),
            start_time=end - round(seconds * 1e9),
        )
        span.end(end)


def _context_of(traceparent: str | None) -> Context | None:
    return _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None
