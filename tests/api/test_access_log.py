"""Each answer that shows identities is recorded, and each refusal: who, what, whose, from where; nothing personal."""

import json
import re
from datetime import timedelta

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError

from services.api.access.failure_counter import MAX_PLACES, OTHERS, FailureCounter
from services.api.context import context_of
from services.api.http import key_cache
from services.api.referrals import worklists
from services.cli.main import main
from shared.platform.clock import now
from shared.store.access import access_log, keys, people
from shared.store.access.access_search import AccessPosition, AccessQuery, search
from shared.store.patients.record_numbers import mrn_hashes
from shared.tables import AccessRecord, FailedAuthentication
from tests.api.conftest import Caller
from tests.api.test_bounds import read_by, settle
from tests.api.test_referrals import ACTIONS
from tests.cases import case_for
from tests.conftest import LOOKUP_KEY

SEARCH = "/v1/access/search"
NOBODY = "0197c9a0-0000-7000-8000-000000000000"


@pytest.fixture
def recorded(sessions):
    """A function that returns what the log holds."""

    def all_of_it():
        with sessions() as session:
            return session.scalars(select(AccessRecord).order_by(AccessRecord.id)).all()

    return all_of_it


@pytest.fixture
def auditor(caller):
    return caller("auditor")


def hashed(mrn, facility="st-marys"):
    return mrn_hashes(LOOKUP_KEY, facility, mrn).normalised


def test_a_page_is_recorded_with_all_its_patients(referral, operator, recorded):
    for number in range(3):
        referral("neurology", mrn=f"MRN-{number}")
    before = len(recorded())
    answer = operator.get("/v1/queues/neurology/referrals?limit=2", X_Request_ID="look-1")
    (record,) = recorded()[before:]
    shown = {each["patient"]["mrn"] for each in answer.json["referrals"]}
    assert set(record.patients) == {hashed(mrn) for mrn in shown}
    assert len(shown) == 2
    assert (record.status, record.method, record.route) == (200, "GET", "/v1/queues/<queue>/referrals")
    assert (record.role, record.key_id, record.person) == ("operator", keys.split(operator.key)[0], None)
    assert (record.address, record.request_id, record.facility) == ("127.0.0.1", "look-1", None)


def test_what_shows_no_identity_is_not_recorded(referral, operator, submitter, caller, recorded):
    ours = referral("neurology")
    before = len(recorded())
    operator.get("/v1/queues/urgent/referrals")  # empty
    operator.get("/v1/queues")
    submitter.get(ours["links"]["self"])  # patient: null
    submitter.get(ours["links"]["intake"])
    operator.get(ours["links"]["events"])
    caller("auditor").get("/v1/events")
    operator.get(f"/v1/referrals/{NOBODY}")  # nobody's, so nobody is concerned
    assert len(recorded()) == before


@pytest.mark.parametrize("action", ["acknowledge", "reroute"])
def test_a_referral_and_the_answer_of_an_action_are_recorded(referral, operator, recorded, action):
    ours = referral("neurology")
    before = len(recorded())
    operator.get(ours["links"]["self"])
    operator.post(f"{ours['links']['self']}/{action}", ACTIONS[action])
    read, acted = recorded()[before:]
    assert [str(read.referral_id), str(acted.referral_id)] == [ours["id"]] * 2
    assert read.patients == acted.patients == [hashed("MRN-1")]
    assert acted.route.endswith(f"/{action}")


def test_the_history_of_an_identity_and_its_correction_are_recorded(referral, caller, recorded):
    ours, admin = referral("neurology"), caller("admin")
    before = len(recorded())
    correction = {"by": "A. Clerk", "reason": "Typing error.", "patient": {"mrn": "MRN-2"}}
    assert admin.post(f"{ours['links']['self']}/correct-identity", correction).status_code == 200
    assert admin.get(f"{ours['links']['self']}/identity-history").status_code == 200
    assert [each.patients for each in recorded()[before:]] == [[hashed("MRN-2")]] * 2


def test_refusals_are_recorded_with_the_patient_of_the_row(referral, caller, recorded):
    ours, city = referral("neurology"), caller("submitter", facility="city")
    before = len(recorded())
    assert city.get(ours["links"]["self"]).status_code == 404
    assert city.get(ours["links"]["intake"]).status_code == 404
    assert city.post(f"{ours['links']['self']}/acknowledge", ACTIONS["acknowledge"]).status_code == 403
    assert city.get("/v1/queues").status_code == 403
    other, intake, acted, queues = recorded()[before:]
    assert [each.status for each in (other, intake, acted, queues)] == [404, 404, 403, 403]
    assert other.patients == intake.patients == acted.patients == [hashed("MRN-1")]
    assert (str(other.referral_id), str(intake.intake_id), queues.patients) == (ours["id"], ours["intake_id"], [])
    assert (other.facility, other.role) == ("city", "submitter")


def test_an_answer_whose_record_cannot_be_stored_is_not_sent(referral, operator, engine):
    ours = referral("neurology")
    with engine.begin() as connection:
        connection.execute(text("alter table access_log add constraint full_disk check (id < 0) not valid"))
    try:
        for path in (ours["links"]["self"], "/v1/queues/neurology/referrals"):
            answer = operator.get(path)
            assert answer.status_code >= 500
            assert "MRN-1" not in answer.text
        assert operator.get(f"/v1/referrals/{ours['id']}/identity-history").status_code == 503  # refused, unrecorded
    finally:
        with engine.begin() as connection:
            connection.execute(text("alter table access_log drop constraint full_disk"))
    assert operator.get(ours["links"]["self"]).status_code == 200


def test_an_auditor_searches_by_patient_person_and_time(referral, operator, auditor, caller, sessions, app):
    with sessions.begin() as session:
        person = people.add(session, name="Dr A. Okafor", role="department", queues=["neurology"])
        doctor = Caller(app.test_client(), people.issue_key(session, person)[1])
    one, two = referral("neurology", mrn="MRN-1"), referral("neurology", mrn="MRN-2")
    doctor.get(one["links"]["self"])
    operator.get(two["links"]["self"])
    doctor.get("/v1/queues/neurology/referrals")
    found = auditor.post(SEARCH, {"mrn": " MRN-1"}).json
    assert [(each["person"], each["route"]) for each in found["records"][:2]] == [
        ("Dr A. Okafor", "/v1/queues/<queue>/referrals"),
        ("Dr A. Okafor", "/v1/referrals/<uuid:referral_id>"),
    ]
    assert all(hashed("MRN-1").hex() in each["patients"] for each in found["records"])
    by_person = auditor.post(SEARCH, {"person": "Dr A. Okafor"}).json["records"]
    assert {each["person"] for each in by_person} == {"Dr A. Okafor"}
    assert len(by_person) == 2
    both = auditor.post(SEARCH, {"person": "Dr A. Okafor", "mrn": "MRN-2"}).json["records"]
    assert [each["route"] for each in both] == ["/v1/queues/<queue>/referrals"]
    later = {"since": (now() + timedelta(hours=1)).isoformat()}
    assert auditor.post(SEARCH, later).json == {"records": [], "next": None}
    assert auditor.post(SEARCH, {"until": later["since"]}).json["records"]
    assert auditor.post(SEARCH, {"mrn": "MRN-9"}).json["records"] == []
    assert "MRN-" not in json.dumps(found)
    assert operator.post(SEARCH, {}).status_code == 403
    assert caller("admin").post(SEARCH, {}).status_code == 200


def test_pages_follow_each_other_newest_first(referral, operator, auditor):
    ours = referral("neurology")
    for _ in range(5):
        operator.get(ours["links"]["self"])
    whole = auditor.post(SEARCH, {"mrn": "MRN-1"}).json["records"]
    walked, asked = [], {"mrn": "MRN-1", "limit": 2}
    while asked:
        page = auditor.post(SEARCH, asked).json
        walked += page["records"]
        asked = asked | {"cursor": page["next"]} if page["next"] else None
    assert walked == whole
    assert [each["number"] for each in whole] == sorted((each["number"] for each in whole), reverse=True)
    assert len(whole) >= 6


@pytest.mark.parametrize(
    "body",
    [{"mrn": ""}, {"since": "yesterday"}, {"limit": 0}, {"limit": "5"}, {"limit": True}, {"cursor": "x"}, {"other": 1}],
)
def test_a_wrong_search_is_refused(auditor, body):
    answer = auditor.post(SEARCH, body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == f"/{next(iter(body))}"


def test_an_auditor_of_a_facility_finds_what_concerns_it(referral, operator, caller, submitter):
    ours = referral("neurology")
    city = caller("submitter", facility="city")
    theirs = referral("neurology", sender=city, mrn="MRN-1")  # the same number is another patient there
    operator.get(ours["links"]["self"])
    city.get(ours["links"]["self"])
    auditor = caller("auditor", facility="city")
    by_patient = auditor.post(SEARCH, {"mrn": "MRN-1"}).json["records"]
    assert {each["referral_id"] for each in by_patient} == {theirs["id"]}
    assert {each["facility"] for each in auditor.post(SEARCH, {}).json["records"]} == {"city"}
    assert submitter.post(SEARCH, {}).status_code == 403


def test_what_was_recorded_is_never_changed_and_a_change_shows(referral, operator, engine, sessions):
    referral("neurology")
    operator.get("/v1/queues/neurology/referrals")
    access_log.number_records(sessions)
    for change in ("update access_log set address = 'x'", "delete from access_log", "truncate access_log cascade"):
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(text(change))
    with sessions() as session:
        chain = access_log.check(session)
        assert (chain.broken, chain.head) == (None, access_log.last(session))
        assert chain.head.number >= 2
    with engine.begin() as connection:
        connection.execute(text("alter table access_log disable trigger user"))
        connection.execute(text("update access_log set key_id = 'x' where number = 2"))
        connection.execute(text("alter table access_log enable trigger user"))
    with sessions() as session:
        assert access_log.check(session).broken == 2


def test_failed_authentication_is_counted_by_address_and_minute(app, sessions, caller):
    context_of(app).failed_authentications.store()  # what other tests have left
    with sessions.begin() as session:
        session.execute(delete(FailedAuthentication))
    for _ in range(3):
        assert caller(None).get("/v1/queues").status_code == 401
    context_of(app).failed_authentications.store()
    caller(None).get("/v1/queues")
    context_of(app).failed_authentications.store()
    with sessions() as session:
        (found,) = session.scalars(select(FailedAuthentication)).all()
    assert (found.address, found.count) == ("127.0.0.1", 4)


def test_counts_are_bounded_and_kept_where_they_cannot_be_stored(sessions, engine):
    counter, moment = FailureCounter(sessions), now()
    for number in range(MAX_PLACES + 5):
        counter.count(f"address {number}", moment)
    with engine.begin() as connection:
        connection.execute(text("alter table failed_authentications rename to elsewhere"))
    try:
        with pytest.raises(Exception, match="failed_authentications"):
            counter.store()
    finally:
        with engine.begin() as connection:
            connection.execute(text("alter table elsewhere rename to failed_authentications"))
    counter.store()
    with sessions() as session:
        found = {each.address: each.count for each in session.scalars(select(FailedAuthentication))}
    assert (len(found), found[OTHERS], sum(found.values())) == (MAX_PLACES + 1, 5, MAX_PLACES + 5)


def test_a_page_of_a_search_reads_a_page(engine, sessions):
    """Whatever the log holds: by patient, by person and by time."""
    with engine.begin() as connection:
        connection.execute(
            text("""
                insert into access_log (at, key_id, person, role, address, request_id, method, route, status, patients)
                select now() - number * interval '1 second', 'k', 'P', 'operator', 'a', 'r', 'GET', '/', 200,
                    array[cast('one' as bytea)]
                from generate_series(1, 5000) as number
            """)
        )
    access_log.number_records(sessions)
    settle(engine)
    middle = AccessPosition(now() - timedelta(minutes=30), 0)
    for query in (AccessQuery(patients=[b"one", b"two"]), AccessQuery(person="P"), AccessQuery(since=middle.at)):
        for before in (None, middle):
            read = read_by(engine, lambda session: search(session, query, limit=50, before=before))  # noqa: B023
            assert read.rows <= 60, query


@pytest.fixture
def statements_of(monkeypatch):
    """A function that returns the statements which `act` sends, from whatever connection: seen at the driver."""

    def seen(act):
        statements = []

        def execute(cursor, query, *values, **options):
            statements.append(str(query).lower())
            return real(cursor, query, *values, **options)

        with monkeypatch.context() as patched:
            real = psycopg.Cursor.execute
            patched.setattr(psycopg.Cursor, "execute", execute)
            act()
        return statements

    return seen


def test_recording_a_page_is_one_statement_and_one_row(
    operator, monkeypatch, triage_all, submitter, recorded, statements_of
):
    """However many patients the page shows."""
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 60.0)
    for number in range(50):
        submitter.post("/v1/intakes", case_for("neurology").body(f"MRN-{number}"))
    triage_all()

    def page(limit):
        answer = operator.get(f"/v1/queues/neurology/referrals?limit={limit}")
        assert len(answer.json["referrals"]) == limit

    page(1)  # the key is in the cache now
    sent = {}
    for limit in (1, 50):
        before = len(recorded())
        sent[limit] = statements_of(lambda: page(limit))  # noqa: B023
        (record,) = recorded()[before:]
        assert len(record.patients) == limit
    monkeypatch.setattr(worklists, "record_access", lambda *_: None)
    without = statements_of(lambda: page(50))
    assert sent[1] == sent[50]
    assert [each for each in sent[50] if "access_log" not in each] == without
    assert len(sent[50]) == len(without) + 1


def test_the_export_is_fhir_audit_events_in_the_shape_of_balp(referral, operator, caller, environment, monkeypatch):
    ours = referral("neurology", mrn="MRN-1")
    referral("neurology", mrn="MRN-2")
    operator.get("/v1/queues/neurology/referrals")
    caller("submitter", facility="city").get(ours["links"]["self"])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = CliRunner().invoke(main, ["access", "export"])
    assert ran.exit_code == 0, ran.output
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len({each["id"] for each in events}) == len(events)
    assert "MRN" not in ran.stdout
    reads = [each for each in events if profile(each) == "PatientRead"]
    queries = [each for each in events if profile(each) == "PatientQuery"]
    refused = [each for each in events if profile(each) is None]
    assert (len(queries), len(refused)) == (2, 1)
    assert {patient_of(each) for each in queries} == {hashed("MRN-1").hex(), hashed("MRN-2").hex()}
    for event in reads:
        has_balp_shape(event, "R", "read", client="110152", server="110153")
        assert entity(event, "2")["what"]["reference"].startswith("ServiceRequest/")
    for event in queries:
        has_balp_shape(event, "E", "search", client="110153", server="110152")
        assert entity(event, "2")["query"]
        assert entity(event, "2")["role"]["code"] == "24"
    assert (refused[0]["outcome"], patient_of(refused[0])) == ("4", hashed("MRN-1").hex())
    later = CliRunner().invoke(main, ["access", "export", "--since", "2999-01-01"])
    assert (later.exit_code, later.stdout) == (0, "")


def profile(event):
    found = event.get("meta", {}).get("profile", [None])[0]
    return found and re.fullmatch(
        r"https://profiles\.ihe\.net/ITI/BALP/StructureDefinition/IHE\.BasicAudit\.(\w+)", found
    ).group(1)


def entity(event, code):
    (found,) = (each for each in event["entity"] if each["type"]["code"] == code)
    return found


def patient_of(event):
    return entity(event, "1")["what"]["identifier"]["value"]


def has_balp_shape(event, action, interaction, *, client, server):
    """What the profiles of BALP 1.1 demand: one client and one server agent, the transaction, what was asked for."""
    assert (event["resourceType"], event["type"]["code"], event["action"]) == ("AuditEvent", "rest", action)
    assert (event["subtype"][0]["code"], event["outcome"]) == (interaction, "0")
    agents = {each["type"]["coding"][0]["code"]: each for each in event["agent"]}
    assert {client, server} <= agents.keys()
    assert all({"who", "network"} <= agents[code].keys() for code in (client, server))
    assert agents[client]["network"]["type"] == "2"
    assert sum(each["requestor"] for each in event["agent"]) == 1
    assert entity(event, "XrequestId")["what"]["identifier"]["value"]
    assert entity(event, "1")["role"]["code"] == "1"
    assert event["recorded"].endswith("Z")
    assert event["source"]["observer"]


def test_a_reading_of_the_form_and_a_search_are_recorded(referral, operator, submitter, recorded):
    ours = referral("neurology")
    before = len(recorded())
    assert operator.get(f"{ours['links']['self']}/form").status_code == 200
    assert operator.post("/v1/referrals/search", {"mrn": "MRN-1"}).status_code == 200
    assert operator.get("/v1/referrals").status_code == 200
    assert submitter.post("/v1/referrals/search", {"mrn": "MRN-1"}).status_code == 200  # patient: null
    assert [each.patients for each in recorded()[before:]] == [[hashed("MRN-1")]] * 3
