"""Facilities: closed ones read and cannot post; a test is routed as any other, and is shown and rings nowhere else."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from structlog.testing import capture_logs

from services.api.http import key_cache
from services.worker.watchman.contacts import ContactWatch
from shared.clinical.referral.lifecycle import QUEUES
from shared.platform.crypto import IdentityCipher
from shared.protocols import active
from shared.store.access import facilities, keys
from shared.store.access.scope import Scope
from shared.store.delivery.destinations import Place, put
from shared.store.escalation import climb, start_clocks
from shared.store.lists.worklist import failed_triage
from shared.store.operations.audit import findings
from shared.store.operations.handover import moved_since
from shared.store.operations.statistics import statistics
from shared.store.operations.status_snapshot import status_snapshot
from shared.tables import Delivery, Destination, Event, Referral
from tests.api.test_referrals import ACTIONS
from tests.cases import case_for

EMPTY = {"referrals": [], "next": None}


@pytest.fixture
def tester(caller):
    """The key of a test facility."""
    return caller("submitter", facility="sandbox", kind="test")


@pytest.fixture
def both(referral, submitter, tester):
    """An urgent referral of a real facility and one of a test facility, of a patient of the same number."""
    return referral("urgent", sender=submitter), referral("urgent", sender=tester)


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json["referrals"]]


def test_a_key_for_a_facility_that_is_not_registered_is_refused(sessions):
    with sessions.begin() as session, pytest.raises(facilities.UnknownFacilityError):
        keys.issue(session, role="submitter", facility="nowhere")


def test_a_facility_is_registered_once_and_keeps_its_kind(sessions):
    with sessions.begin() as session:
        assert facilities.register(session, "st-marys")
        assert not facilities.register(session, "st-marys")
        with pytest.raises(facilities.OtherKindError):
            facilities.register(session, "st-marys", facilities.TEST)
        assert facilities.close(session, "st-marys")
        assert not facilities.close(session, "st-marys")
        assert facilities.register(session, "st-marys")
        assert [each.closed_at for each in facilities.list_all(session)] == [None]


def test_the_keys_of_a_closed_facility_read_and_cannot_post(submitter, sessions, referral, monkeypatch):
    ours = referral("neurology")
    with sessions.begin() as session:
        facilities.close(session, "st-marys")
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 0.0)  # as if the second had passed
    assert submitter.get(ours["links"]["self"]).status_code == 200
    assert submitter.get("/v1/events").status_code == 200
    line = b'{"idempotency_key":"k","form":{}}'
    for answer in (
        submitter.post("/v1/intakes", case_for("urgent").body()),
        submitter.send("/v1/intakes/batch", line, Content_Type="application/x-ndjson"),
        submitter.post("/v1/intakes/batch", {"forms": [{"form": {}}]}),
    ):
        assert (answer.status_code, answer.json["type"]) == (403, "urn:psoas:problem:facility-closed")
    assert len(submitter.get("/v1/intakes").json["intakes"]) == 1


def test_a_staff_key_that_names_a_facility_sees_that_alone(referral, caller):
    ours = referral("neurology")
    theirs = referral("neurology", sender=caller("submitter", facility="city"))
    operator = caller("operator", facility="city")
    assert operator.get(ours["links"]["self"]).status_code == 404
    assert operator.get(ours["links"]["events"]).status_code == 404
    assert operator.get(ours["links"]["intake"]).status_code == 404
    assert operator.post(f"{ours['links']['self']}/acknowledge", ACTIONS["acknowledge"]).status_code == 404
    assert ids(operator.get("/v1/queues/neurology/referrals")) == [theirs["id"]]
    assert [each["referral_id"] for each in operator.get("/v1/events").json["events"]] == [theirs["id"]]
    assert operator.get("/v1/queues").json["queues"][1]["open"] == 1


def test_tests_are_shown_on_request_and_then_nothing_else_is(both, operator, tester):
    real, test = both
    for path in ("/v1/queues/urgent/referrals", "/v1/referrals", "/v1/referrals?queue=urgent&overdue=false"):
        joined = "&" if "?" in path else "?"
        assert ids(operator.get(path)) == ids(operator.get(f"{path}{joined}test=false")) == [real["id"]]
        assert ids(operator.get(f"{path}{joined}test=true")) == [test["id"]]
    for query, shown in (("", real), ("?test=true", test)):
        assert ids(operator.post(f"/v1/referrals/search{query}", {"mrn": "MRN-1"})) == [shown["id"]]
        for each in both:
            found = operator.post(f"/v1/referrals/search{query}", {"reference": each["reference"]})
            assert ids(found) == [each["id"]] * (each is shown)
    assert ids(tester.post("/v1/referrals/search?test=true", {"mrn": "MRN-1"})) == [test["id"]]
    assert tester.post("/v1/referrals/search", {"mrn": "MRN-1"}).json == EMPTY
    assert operator.get("/v1/referrals?facility=sandbox").json == EMPTY
    assert ids(operator.get("/v1/referrals?facility=sandbox&test=true")) == [test["id"]]
    assert operator.get("/v1/referrals?facility=st-marys&test=true").json == EMPTY
    assert operator.get(test["links"]["self"]).status_code == 200


def test_who_names_a_facility_asks_for_its_tests_too(both, caller):
    real, test = both
    for facility, kind, own in (("st-marys", "live", real), ("sandbox", "test", test)):
        department = caller("department", facility=facility, kind=kind, queues=QUEUES)
        for query, shown in (("", kind == "live"), ("?test=true", kind == "test")):
            assert ids(department.get(f"/v1/queues/urgent/referrals{query}")) == [own["id"]] * shown
            assert ids(department.get(f"/v1/referrals{query}")) == [own["id"]] * shown
            assert department.get(f"/v1/queues{query}").json["queues"][0]["open"] == int(shown)


def test_tests_are_counted_apart(both, operator, sessions):
    operator.post(f"{both[1]['links']['self']}/acknowledge", ACTIONS["acknowledge"])
    with sessions.begin() as session:
        session.execute(update(Referral).values(acknowledge_by=Referral.created_at - timedelta(days=1)))
        now = status_snapshot(session)
    real, test = (operator.get(f"/v1/queues{query}").json["queues"][0] for query in ("", "?test=true"))
    assert [real[name] for name in ("open", "unacknowledged", "overdue")] == [1, 1, 1]
    assert [test[name] for name in ("open", "unacknowledged", "overdue")] == [1, 0, 0]
    assert (now.queues["urgent"].overdue, now.tests["urgent"].overdue) == (1, 0)
    assert (now.queues["urgent"].open, now.tests["urgent"].open) == (1, 1)


def test_an_overdue_test_says_so_and_climbs_no_rung(both, operator, sessions):
    real, test = both
    with sessions.begin() as session:
        long_ago = Referral.created_at - timedelta(days=1)
        session.execute(
            update(Referral).values(acknowledge_by=long_ago, clock_started_at=long_ago, escalate_at=long_ago)
        )
        start_clocks(session, active().targets)
    with sessions.begin() as session:
        climbed, _ = climb(session, active().targets, limit=10)
        assert findings(session)["clock_missing"] == 0
    assert [str(rung.referral_id) for rung in climbed] == [real["id"]]
    shown = operator.get(test["links"]["self"]).json
    assert (shown["overdue"], shown["escalation_level"]) == (True, 0)
    assert operator.get("/v1/queues?test=true").json["queues"][0]["overdue"] == 1


def test_an_overdue_contact_of_a_test_is_said_and_alarms_nobody(both, sessions):
    real, test = both
    with sessions.begin() as session:
        session.execute(update(Referral).values(contact_by=Referral.created_at - timedelta(days=1)))
    with capture_logs() as lines:
        ContactWatch(sessions, lambda _: None).look()
    said = {each["referral_id"]: (each["event"], each["log_level"]) for each in lines}
    assert said == {real["id"]: ("contact.overdue", "warning"), test["id"]: ("contact.test_overdue", "info")}
    with sessions() as session:
        overdue = session.scalars(select(Event.referral_id).where(Event.type == "referral.contact_overdue"))
        assert {str(each) for each in overdue} == {real["id"], test["id"]}


def test_statistics_handover_and_failed_work_leave_tests_out(both, operator, sessions, settings):
    real, test = both
    for each in both:
        back = {**ACTIONS["return"], "confirm": True}
        assert operator.post(f"{each['links']['self']}/return", back).status_code == 200
    everybody, tests = Scope.everything(), Scope.of_facility("sandbox")
    cipher = IdentityCipher(settings.identity_keys)
    with sessions() as session:
        since = session.scalar(select(func.min(Referral.created_at)))
        for scope, seen in ((everybody, real), (tests, test)):
            moved = moved_since(session, scope, since, cipher=cipher, limit=10)
            assert [str(each.referral_id) for each in moved] == [seen["id"]]
            counted = statistics(session, scope, since, timedelta(hours=1))
            assert [each.count for each in counted.by_time] == [1]
            assert sum(each.count for each in counted.changed) == 1
            assert {fired for _, fired, _ in counted.rules} <= {0, 1}
    with sessions.begin() as session:
        session.execute(update(Referral).values(status="queued", pattern="triage_failed"))
        for scope, seen in ((everybody, real), (tests, test)):
            assert [str(each.id) for each in failed_triage(session, scope, limit=10)] == [seen["id"]]


def test_a_test_calls_its_own_system_and_no_department(sessions, settings, referral, submitter, tester):
    cipher = IdentityCipher(settings.identity_keys)
    places = {
        "department": Place("urgent", None, 0, "https://a.example"),
        "department of it": Place("urgent", "sandbox", 0, "https://b.example"),
        "own": Place(None, "sandbox", 0, "https://c.example"),
        "another's": Place(None, "st-marys", 0, "https://d.example"),
    }
    with sessions.begin() as session:
        named = {put(session, place, cipher)[0]: name for name, place in places.items()}
    heard = {}
    for name, sender in (("test", tester), ("real", submitter)):
        referral_id = referral("urgent", sender=sender)["id"]
        with sessions() as session:
            delivered = session.scalars(select(Delivery.destination_id).where(Delivery.referral_id == referral_id))
            heard[name] = sorted(named[each] for each in delivered)
    assert heard == {"test": ["own"], "real": ["another's", "department"]}


def test_a_test_is_in_its_own_feed_and_in_no_other(both, operator, caller, tester):
    real, test = both
    for reader in (operator, caller("auditor"), caller("admin"), caller("submitter", facility="st-marys")):
        assert [each["referral_id"] for each in reader.get("/v1/events").json["events"]] == [real["id"]]
        assert reader.get("/v1/events").json["next"] == 2
    for reader in (tester, caller("operator", facility="sandbox", kind="test")):
        assert [each["referral_id"] for each in reader.get("/v1/events").json["events"]] == [test["id"]]
    assert len(operator.get(test["links"]["events"]).json["events"]) == 1


def test_what_a_worker_of_the_release_before_adds_is_known_as_a_test(submitter, tester, sessions):
    """It names neither `test` nor `reference`."""
    columns = "intake_id, facility, queue, priority, pattern, headline, acknowledge_by, escalate_at"
    assert submitter.key != tester.key
    with sessions.begin() as session:
        session.execute(
            text(f"""
            with form as (
                insert into intakes (id, facility, status, lane, triaged_at, today, answers, identity, mrn_hash,
                    body_hash, request_id)
                select gen_random_uuid(), name, 'triaged', 'routine', now(), current_date, '{{}}', '', '', '', 'test'
                from facilities where name in ('sandbox', 'st-marys') returning id, facility
            )
            insert into referrals (id, {columns})
            select gen_random_uuid(), id, facility, 'urgent', 0, 'p', 'h', now(), now() from form
        """)  # noqa: S608 - constants
        )
        added = session.execute(
            select(Referral.facility, Referral.test, Referral.escalate_at.is_(None))
            .where(Referral.pattern == "p")
            .order_by(Referral.facility)
        ).all()
    assert added == [("sandbox", True, True), ("st-marys", False, False)]


def test_a_destination_of_no_queue_is_a_facilitys(sessions, settings):
    cipher = IdentityCipher(settings.identity_keys)
    place = Place(None, "st-marys", 0, "https://a.example")
    with sessions.begin() as session:
        first, secret = put(session, place, cipher)
        again, kept = put(session, place, cipher)
        assert (first, secret is None, kept) == (again, False, None)
        assert session.scalars(select(Destination.queue)).all() == [None]
