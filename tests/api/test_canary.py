"""Whose form it is stands in the database, sealed, and in authorised answers; nowhere else."""

import io
import json
import logging
import re
import sys

import pytest
import structlog
from sqlalchemy import insert, select, text
from uuid_utils.compat import uuid7

from services.api.context import EXTENSION
from shared.platform.logs import ALLOWED, configure_logs
from shared.tables import Delivery, Destination, Table
from tests.api.test_problems import TRACE

CANARY = {
    "encounter": {
        "callback_phone": "CANARY-PHONE",
        "referrer_contact": "CANARY-REFERRER",
        "free_text": "CANARY-TEXT she wet herself",
    },
    "patient": {
        "mrn": "CANARY-MRN",
        "family_name": "CANARY-FAMILY",
        "given_name": "CANARY-GIVEN",
        "birth_date": "1957-08-29",
    },
    "symptoms": {"cannot_lift_leg_supine": "present"},
}
NOBODY = "0197c9a0-0000-7000-8000-000000000000"
TELLTALES = ("CANARY", "1957-08-29", "wet herself")


@pytest.fixture
def log_text(settings, monkeypatch):
    """Return a function that returns everything logged since the test began."""
    level, errors = logging.root.level, io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(errors, "utf-8"))
    configure_logs(settings)
    (handler,) = logging.root.handlers
    structlog.contextvars.clear_contextvars()
    yield lambda: errors.getvalue().decode()
    logging.root.removeHandler(handler)
    logging.root.setLevel(level)
    structlog.reset_defaults()


def tells(content: str) -> list[str]:
    return [telltale for telltale in TELLTALES if telltale in content]


@pytest.fixture
def listening(sessions):
    """A department's own system, which hears of every urgent referral."""
    with sessions.begin() as session:
        row = {"id": uuid7(), "queue": "urgent", "url": "https://his.example", "secret": b"sealed"}
        session.execute(insert(Destination).values(**row))


def payloads(sessions) -> list[str]:
    with sessions() as session:
        return [repr(payload) for payload in session.scalars(select(Delivery.payload))]


@pytest.mark.usefixtures("listening")
def test_the_canary_sings_nowhere(submitter, operator, triage_all, broker, sessions, log_text):
    posted = submitter.post("/v1/intakes", CANARY, Idempotency_Key="CANARY-k1")
    broker.blpop("triage.priority", timeout=5)
    submitter.post("/v1/intakes", CANARY)
    refusals = [
        submitter.post("/v1/intakes", {**CANARY, "symptoms": {"cannot_lift_leg_supine": "CANARY"}}),
        submitter.post("/v1/intakes", {**CANARY, "CANARY Smith": 1}),
        submitter.post("/v1/intakes", {**CANARY, "history": {"cancer": "CANARY"}}, Idempotency_Key="CANARY-k1"),
        submitter.post("/v1/intakes", {**CANARY, "history": {}}, Idempotency_Key="CANARY-k1"),
        submitter.send("/v1/intakes", json.dumps(CANARY).encode()[:-1]),
        submitter.get("/v1/queues?name=CANARY"),
    ]
    assert {answer.status_code for answer in refusals} == {400, 403, 422}
    triage_all()
    intake = submitter.get(posted.headers["Location"])
    preview = submitter.post("/v1/triage/preview", CANARY)
    assert intake.json["decision"]["red_flags"] == ["RF_CONFLICT", "RF_UNANSWERED"]
    referral = operator.get(intake.json["referral"]["links"]["self"])
    assert referral.json["patient"]["name"] == "CANARY-GIVEN CANARY-FAMILY"
    seen_by_submitter = submitter.get(intake.json["referral"]["links"]["self"])
    assert tells(referral.text) == ["CANARY", "1957-08-29"]
    paths = referral.json["links"]
    form = operator.get(f"{paths['self']}/form")
    assert form.json["free_text"] == CANARY["encounter"]["free_text"]
    refusals.append(submitter.get(f"{paths['self']}/form"))
    refusals.append(operator.post(f"{paths['self']}/contacted", {"by": "A", "outcome": "CANARY"}))
    assert [answer.status_code for answer in refusals[-2:]] == [403, 422]
    refusals.append(operator.post(f"{paths['self']}/contacted", {"by": "A", "outcome": "left_message"}))
    worked = operator.get(paths["self"]).text + operator.get("/v1/queues/urgent/referrals").text
    for telltale in ("CANARY-PHONE", "CANARY-REFERRER", "CANARY-TEXT"):
        assert telltale in form.text
        assert telltale not in worked
    refusals.append(operator.get(paths["events"]))
    refusals[-2] = operator.get("/v1/events")  # whoever contacts reads whose it is; the feed does not say
    assert tells("".join(answer.text for answer in (*refusals, posted, intake, preview, seen_by_submitter))) == []
    assert len(payloads(sessions)) == 3
    assert tells(stored(sessions)) == []
    assert tells(operator.get("/v1/deliveries?status=due").text) == []
    assert tells("".join(map(str, broker.keys("*")))) == []
    assert tells(log_text()) == []


def stored(sessions) -> str:
    with sessions() as session:
        tables = [session.execute(table.select()).all() for table in Table.metadata.sorted_tables]
    return repr(tables)


def test_what_is_sealed_opens_for_its_own_row_only(app, submitter, sessions):
    first, second = (submitter.post("/v1/intakes", CANARY).json["id"] for _ in range(2))
    cipher = app.extensions[EXTENSION].cipher
    with sessions() as session:
        sealed = dict(session.execute(text("select id::text, identity from intakes")).all())
    assert json.loads(cipher.open(bytes(sealed[first]), row=first))["mrn"] == "CANARY-MRN"
    with pytest.raises(Exception, match="key 'test'"):
        cipher.open(bytes(sealed[first]), row=second)


def test_a_request_leaves_one_line_with_its_path(submitter, log_text):
    answer = submitter.get(f"/v1/intakes/{NOBODY}", X_Request_ID="r1", traceparent=TRACE)
    (line,) = [json.loads(line) for line in log_text().splitlines()]
    assert line.pop("duration_ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "services.api.http.tracing",
        "method": "GET",
        "route": "/v1/intakes/<uuid:intake_id>",
        "intake_id": NOBODY,
        "status": answer.status_code,
        "request_id": "r1",
        "traceparent": TRACE,
        "key_id": submitter.key.split("_")[1],
    }


def test_a_case_is_followed_from_its_request_through_triage_to_what_a_person_does(
    submitter, operator, triage_all, log_text
):
    posted = submitter.post("/v1/intakes", CANARY, X_Request_ID="r1", traceparent=TRACE)
    structlog.contextvars.clear_contextvars()  # the worker is another process
    triage_all()
    intake = submitter.get(posted.headers["Location"]).json
    referral = intake["referral"]["id"]
    operator.post(f"/v1/referrals/{referral}/acknowledge", {"by": "CANARY"}, X_Request_ID="r2")
    lines = [json.loads(line) for line in log_text().splitlines()]
    of_request = [line for line in lines if line.get("request_id") == "r1"]
    assert [line["event"] for line in of_request] == ["request", "triage.stored"]
    assert {(line["intake_id"], line["traceparent"]) for line in of_request} == {(intake["id"], TRACE)}
    (acknowledged,) = (line for line in lines if line.get("request_id") == "r2")
    assert acknowledged["referral_id"] == referral
    assert tells(log_text()) == []


def test_a_program_error_is_logged_with_its_place_and_nothing_of_the_form(submitter, log_text, monkeypatch):
    def fail(*_):
        raise RuntimeError(CANARY)

    monkeypatch.setattr("services.api.intakes.accept.build_intake", fail)
    submitter.post("/v1/intakes", CANARY)
    failed, _ = (json.loads(line) for line in log_text().splitlines())
    assert (failed["event"], failed["error"]) == ("request.failed", "RuntimeError")
    assert re.fullmatch(r".*test_canary\.py:\d+", failed["where"])
    assert tells(log_text()) == []


def test_a_line_holds_what_the_list_allows(log_text):
    log = structlog.get_logger("test")
    log.info("seen", queue="urgent", mrn="CANARY", body={"patient": "CANARY"}, exc_info=ValueError("CANARY"))
    logging.getLogger("library").warning("could not store %s", "CANARY")
    error = ValueError("CANARY")
    logging.getLogger("library").error("failed with %r", error, exc_info=error)
    logging.getLogger("library").error(error)
    said = log_text()
    lines = [json.loads(line) for line in said.splitlines()]
    assert len(lines) == 4
    assert all(line.keys() <= ALLOWED for line in lines)
    assert tells(said) == []
    assert lines[0]["queue"] == "urgent"
    assert lines[1]["event"] == "could not store %s"
    assert [line.get("error") for line in lines[2:]] == ["ValueError", None]
    assert lines[3]["event"] == "ValueError"


@pytest.mark.parametrize("injected", ["a\nb", "a\r\nb", "\x1b[31mred", '{"level":"info"}'])
def test_a_line_stays_one_line(injected, log_text):
    structlog.get_logger("test").info("seen", route=injected)
    (line,) = log_text().splitlines()
    assert json.loads(line)["route"] == injected
    assert "\x1b" not in line
