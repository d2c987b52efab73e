"""What Prometheus reads: counts that rise as things happen, gauges of the status of everything, and nobody's name."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text
from uuid_utils.compat import uuid7

from services.api.app import create_app
from services.api.context import context_of
from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES
from shared.migrations.privileges import ROLES as DATABASE_ROLES
from shared.monitoring.periodic import ROLES
from shared.platform.metrics import METRICS, STEPS
from shared.platform.task_queues import LANES
from shared.protocols import active
from shared.store.operations.audit import _ROWS
from shared.store.operations.heartbeats import record_heartbeat
from shared.store.operations.status_snapshot import FACILITY, TEST_FACILITY
from shared.tables import Destination
from tests.api.conftest import NOW, Caller
from tests.api.test_canary import CANARY, tells
from tests.api.test_intakes import MINIMAL
from tests.cases import case_for

ROOT = Path(__file__).parents[2]
SHORT_LISTS = {
    "queue": {*QUEUES, FACILITY, TEST_FACILITY},
    "lane": set(LANES),
    "priority": set(PRIORITIES),
    "step": set(STEPS),
    "outcome": {"accepted", "replayed", "refused", "unavailable", "delivered", "again", "parked", "gone"},
    "role": set(ROLES),
    "check": set(_ROWS),
    "rule": {*active().rules, *(each.id for each in (*active().routes, *active().floors)), "triage_failed"},
}


class Scrape:
    """The numbers of one moment."""

    def __init__(self, content: str) -> None:
        self.families = list(text_string_to_metric_families(content))

    def samples(self) -> Iterable:
        return [sample for family in self.families for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        found = [each.value for each in self.samples() if each.name == name and each.labels == labels]
        return found[0] if found else 0.0


@pytest.fixture
def scrape(app, sessions):  # noqa: ARG001 - the database is emptied before it is asked
    return lambda: Scrape(read(app))


def read(app) -> str:
    answer = Caller(app.test_client(), context_of(app).settings.metrics_token).get("/metrics")
    assert answer.status_code == 200
    return answer.text


def test_a_form_moves_the_numbers(submitter, operator, triage_all, scrape):
    before = scrape()
    body = case_for("urgent").body()
    submitter.post("/v1/intakes", body, Idempotency_Key="k1")
    submitter.post("/v1/intakes", body, Idempotency_Key="k1")
    submitter.post("/v1/intakes", {"patient": {}})
    waiting = scrape()
    assert waiting("psoas_intakes_waiting", lane="priority") == 1
    assert waiting("psoas_intakes_waiting_oldest_seconds", lane="priority") > 0
    assert waiting("psoas_intakes_waiting", lane="routine") == 0
    for outcome in ("accepted", "replayed", "refused"):
        name = "psoas_intake_seconds_count"
        assert waiting(name, outcome=outcome) - before(name, outcome=outcome) == 1
    triage_all()
    after = scrape()
    (referral,) = operator.get("/v1/queues/urgent/referrals").json["referrals"]
    assert after("psoas_intakes_waiting", lane="priority") == 0
    for gauge, value in (("open", 1), ("unacknowledged", 1), ("overdue", 0)):
        assert after(f"psoas_referrals_{gauge}", queue="urgent") == value
    assert after("psoas_referrals_oldest_age_seconds", queue="urgent") > 0
    decided = {"queue": "urgent", "priority": referral["priority"]}
    assert after("psoas_decisions_total", **decided) - before("psoas_decisions_total", **decided) == 1
    for counted in ("psoas_routing_seconds_count", "psoas_triage_seconds_count"):
        assert after(counted, lane="priority") - before(counted, lane="priority") == 1
    fired = {"rule": referral["decision"]["reasons"][0]["rule"]}
    assert after("psoas_rules_fired_total", **fired) - before("psoas_rules_fired_total", **fired) == 1


def test_an_acknowledged_referral_is_open_and_not_unacknowledged(referral, operator, scrape):
    operator.post(referral("urgent")["links"]["self"] + "/acknowledge", {"by": "Dr Osei"})
    assert scrape()("psoas_referrals_open", queue="urgent") == 1
    assert scrape()("psoas_referrals_unacknowledged", queue="urgent") == 0


def test_a_screen_that_fails_is_counted(submitter, scrape, monkeypatch):
    before = scrape()("psoas_failures_total", step="screen")
    monkeypatch.setattr("services.api.forms.screening.screen", lambda *_: 1 / 0)
    assert submitter.post("/v1/intakes", MINIMAL).status_code == 202
    assert scrape()("psoas_failures_total", step="screen") - before == 1


def test_what_people_have_to_look_at_shows(sessions, referral, scrape):
    referral("neurology")
    with sessions.begin() as session:
        for status in ("active", "disabled"):
            url = f"https://{status}"
            row = {"id": uuid7(), "queue": "neurology", "url": url, "secret": b"sealed", "status": status}
            session.execute(insert(Destination).values(**row))
        session.execute(
            text("""
                insert into deliveries (id, destination_id, referral_id, event_id, queue, payload, status)
                select gen_random_uuid(), destinations.id, referral_id, events.id, destinations.queue, '{}',
                    case destinations.status when 'active' then 'due' else 'parked' end
                from destinations, events
            """)
        )
        record_heartbeat(session, "host:api:1", "api", "1")
        record_heartbeat(session, "host:worker-urgent:2", "worker-urgent", "1")
        record_heartbeat(session, "host:worker-urgent:3", "worker-urgent", "1")
        session.execute(text("update heartbeats set beat_at = now() - interval '1 minute' where role = 'api'"))
    seen = scrape()
    assert seen("psoas_database_up") == 1
    assert seen("psoas_database_bytes") > 1_000_000
    assert seen("psoas_destinations_disabled", queue="neurology") == 1
    assert seen("psoas_deliveries_due", queue="neurology") == seen("psoas_deliveries_parked", queue="neurology") == 1
    assert seen("psoas_deliveries_oldest_due_seconds", queue="neurology") > 0
    assert seen("psoas_events_unnumbered") == 1
    assert seen("psoas_processes", role="worker-urgent") == 2
    assert seen("psoas_processes", role="api") == seen("psoas_processes", role="watchman") == 0
    assert seen("psoas_heartbeat_age_seconds", role="api") >= 60


def test_the_build_says_what_runs(scrape):
    (build,) = (sample for sample in scrape().samples() if sample.name == "psoas_build_info")
    protocol = active()
    assert build.labels["protocol_digest"] == protocol.digest
    assert (build.labels["protocol"], build.labels["protocol_version"]) == (protocol.name, protocol.version)


def test_every_metric_says_what_it_is_and_has_labels_from_a_short_list(app, submitter, referral, scrape):
    referral("urgent")
    submitter.post("/v1/intakes", CANARY)
    submitter.get("/CANARY")
    submitter.get("/v1/referrals/0197c9a0-0000-7000-8000-000000000000")
    routes = {rule.rule for rule in app.url_map.iter_rules()} | {"none"}
    allowed = {**SHORT_LISTS, "route": routes}
    seen = scrape()
    assert [family.name for family in seen.families if not family.documentation] == []
    ours = [sample for sample in seen.samples() if sample.name != "psoas_build_info"]
    labels = {(name, value) for sample in ours for name, value in sample.labels.items()}
    assert {name for name, _ in labels} <= {*allowed, "le", "status"}
    assert {(name, value) for name, value in labels if name in allowed and value not in allowed[name]} == set()


def test_alerts_and_documents_name_metrics_that_exist(scrape):
    counted = {described.name for metric in METRICS for described in metric.describe()}
    there = {family.name for family in scrape().families}
    there |= {name + end for name in counted for end in ("", "_total", "_count", "_bucket")}
    texts = [ROOT / "deploy/prometheus/alerts.yml", *(ROOT / "docs").glob("*.md")]
    named = {name for path in texts for name in re.findall(r"psoas_[a-z_]*[a-z]", path.read_text())}
    assert len(named) > 20
    assert named - there - set(DATABASE_ROLES) == set()
    groups = yaml.safe_load(texts[0].read_text())["groups"]
    assert all({"alert", "expr", "labels", "annotations"} <= set(rule) for group in groups for rule in group["rules"])


def test_it_tells_of_nobody(app, submitter, triage_all):
    submitter.post("/v1/intakes", CANARY)
    submitter.get("/v1/queues?name=CANARY")
    submitter.get("/CANARY")
    triage_all()
    assert tells(read(app)) == []


@pytest.mark.parametrize("presented", [None, "", "None", "wrong"])
def test_without_a_token_nothing_opens_it(presented, settings, sessions):  # noqa: ARG001 - it asks the database
    app = create_app(replace(settings, metrics_token=""), now=lambda: NOW)
    closed = Caller(app.test_client(), presented).get("/metrics", **({} if presented else {"Authorization": "Bearer "}))
    assert (closed.status_code, closed.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "psoas" not in closed.text.replace("urn:psoas", "")
    context_of(app).close()


def test_its_token_opens_it_and_nothing_else_does(settings, sessions):  # noqa: ARG001 - it asks the database
    app = create_app(replace(settings, metrics_token="s3cret"), now=lambda: NOW)  # noqa: S106
    closed = app.test_client()
    assert closed.get("/metrics").status_code == 401
    assert Caller(closed, "wrong").get("/metrics").status_code == 401
    assert Caller(closed, "é").get("/metrics").status_code == 401
    assert Caller(closed, "s3cret").get("/metrics").status_code == 200
    context_of(app).close()


def test_without_the_database_it_says_so(settings):
    away = create_app(replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none"), now=lambda: NOW)
    seen = Scrape(read(away))
    assert seen("psoas_database_up") == 0
    assert {sample.name for sample in seen.samples()} >= {"psoas_build_info", "psoas_requests_total"}
