"""Traces, seen by a collector: one trace from the sender's request to the webhook, and nobody's identity in a span."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests import receiver
from tests.integration.test_delivery import run
from tests.receiver import Receiver
from tests.referrals import Up, request, up

WITHIN_SECONDS = 60
TRACE = "0af7651916cd43dd8448eb211c80319c"
IDENTITY = {"mrn": "CANARY-MRN", "birth_date": "1957-08-29", "family_name": "CANARY-FAMILY"}
FORM = {
    "encounter": {"free_text": "CANARY-TEXT she wet herself", "callback_phone": "CANARY-PHONE"},
    "patient": IDENTITY,
    "symptoms": {"cannot_lift_leg_supine": "present", "onset": "sudden", "bladder_change": "new_or_worse"},
}


class Collector:
    """What an OpenTelemetry collector was sent."""

    def __init__(self, received: Receiver) -> None:
        self._received = received

    @property
    def url(self) -> str:
        return self._received.url

    @property
    def raw(self) -> bytes:
        return b"".join(each.body for each in self._received.received)

    def spans(self) -> list[Any]:
        found = []
        for each in self._received.received:
            assert each.path.endswith("/v1/traces")
            sent = ExportTraceServiceRequest.FromString(each.body)
            found += [span for part in sent.resource_spans for scope in part.scope_spans for span in scope.spans]
        return found

    def of_trace(self, trace: str, *names: str) -> dict[str, Any]:
        """Return the spans of a trace by name, once all `names` have come."""
        end = time.monotonic() + WITHIN_SECONDS
        found: dict[str, Any] = {}
        while time.monotonic() < end:
            found = {span.name: span for span in self.spans() if span.trace_id.hex() == trace}
            if found.keys() >= set(names):
                return found
            time.sleep(0.2)
        raise AssertionError(f"of {names} came {sorted(found)}")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with receiver.receiver() as received:
        yield Collector(received)


@pytest.fixture
def department() -> Iterator[Receiver]:
    with receiver.receiver() as received:
        yield received


@pytest.fixture
def traced(tmp_path: Path, collector: Collector) -> Iterator[tuple[Path, Up]]:
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with up(tmp_path / "home", env=environment) as running:
        yield tmp_path / "home", running


def test_one_trace_goes_from_the_sender_to_the_webhook_and_names_nobody(
    traced: tuple[Path, Up], collector: Collector, department: Receiver
) -> None:
    home, running = traced
    run(home, "destinations", "set", "urgent", department.url, "--insecure", "--json")
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    code, _ = request(f"{running.url}/v1/intakes", running.keys()["submitter"], FORM, headers)
    assert code == 200
    found = collector.of_trace(TRACE, "POST /v1/intakes", "triage", "deliver")
    posted = found["POST /v1/intakes"]
    assert posted.parent_span_id.hex() == "b7ad6b7169203331"
    assert found["triage"].parent_span_id == found["deliver"].parent_span_id == posted.span_id
    assert any(span.name.startswith("sql ") for span in collector.spans())
    (webhook,) = department.wait_for(1, WITHIN_SECONDS)
    assert webhook.headers["traceparent"] == f"00-{TRACE}-{found['deliver'].span_id.hex()}-01"
    for telltale in ("CANARY", "1957-08-29", "wet herself"):
        assert telltale.encode() not in collector.raw
