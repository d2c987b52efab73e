"""Whose form it is: an amendment is of the same patient, a person corrects what is wrong, each correction is kept."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, insert, select, text, update
from uuid_utils.compat import uuid7

from services.api.context import EXTENSION
from services.api.http.parsing.strict_fields import check_of
from services.api.openapi.generator import document
from services.api.referrals.requests import CorrectedPatient
from shared.protocols import active
from shared.store.patients import identities
from shared.tables import Delivery, Destination, IdempotencyKey, IdentityCorrection, Intake, Referral
from tests.api.batches import post
from tests.api.conftest import FACILITY, Caller
from tests.api.test_authentication import CORRECTION, NOBODY
from tests.api.test_canary import log_text, tells  # noqa: F401 - a fixture
from tests.api.test_documents import conforms
from tests.cases import born, case_for, cases

OTHER = "urn:psoas:problem:other-patient"
OTHERS = {"mrn": {"mrn": "MRN-2"}, "birth date": {"birth_date": "1980-05-18"}}


@pytest.fixture
def admin(caller):
    return caller("admin")


@pytest.fixture
def correct(operator):
    """Return a function that corrects the identity of a referral."""

    def do(referral, sender=operator, headers=None, **patient):
        path = f"{referral['links']['self']}/correct-identity"
        return sender.post(path, CORRECTION | {"patient": patient}, **(headers or {}))

    return do


@pytest.fixture
def first(submitter, operator, triage_all):
    """The referral of a first form."""
    return referral_of(submitter.post("/v1/intakes", body()).json, submitter, operator, triage_all)


def referral_of(intake, submitter, operator, triage_all):
    triage_all()
    return operator.get(submitter.get(intake["links"]["self"]).json["referral"]["links"]["self"]).json


def body(queue="urgent", amends=None, **patient):
    form = born(case_for(queue).body())
    return form | {"patient": form["patient"] | patient} | ({"amends": amends} if amends else {})


def missing(referral):
    """Which answers the rules that could not be evaluated wait for."""
    return {field for each in referral["decision"]["undetermined"] for field in each["missing"]}


def count(sessions, table=Intake):
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(table))


def history(admin, referral, query=""):
    answer = admin.get(f"{referral['links']['self']}/identity-history{query}")
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.parametrize("patient", OTHERS.values(), ids=OTHERS)
def test_a_form_of_another_patient_amends_nothing(patient, submitter, operator, first, sessions, triage_all):
    for _ in range(2):
        answer = submitter.post("/v1/intakes", body(amends=first["intake_id"], **patient), Idempotency_Key="k1")
        assert (answer.status_code, answer.json["type"]) == (409, OTHER)
        assert tells(answer.text) == []
        assert all(value not in answer.text for value in patient.values())
    triage_all()
    assert (count(sessions), count(sessions, IdempotencyKey)) == (1, 0)
    assert operator.get(first["links"]["self"]).json == first
    assert submitter.post("/v1/intakes", body("neurology"), Idempotency_Key="k1").status_code == 202, "the key is free"


def test_nor_does_a_line_of_a_batch(submitter, first, sessions):
    lines = [
        {"idempotency_key": "k1", "form": body(amends=first["intake_id"], mrn="MRN-2")},
        {"idempotency_key": "k2", "form": body(amends=first["intake_id"], birth_date="1990-01-01")},
        {"idempotency_key": "k3", "form": body("neurology", amends=first["intake_id"])},
    ]
    outcomes = post(submitter, *lines)
    assert [each["status"] for each in outcomes] == [409, 409, 202]
    assert {each["problem"]["type"] for each in outcomes[:2]} == {OTHER}
    assert (count(sessions), count(sessions, IdempotencyKey)) == (2, 1)


def test_names_may_differ(submitter, first):
    answer = submitter.post("/v1/intakes", body(amends=first["intake_id"], family_name="Married"))
    assert answer.status_code == 202


def test_a_form_of_the_release_before_is_compared_by_its_identity(submitter, first, sessions):
    """It has no hash of its birth date, and its record number may have been hashed in another way."""
    with sessions.begin() as session:
        session.execute(update(Intake).values(birth_date_hash=None, patient_hash=None))
    wrong = submitter.post("/v1/intakes", body(amends=first["intake_id"], birth_date="1980-05-18"))
    assert (wrong.status_code, wrong.json["type"]) == (409, OTHER)
    assert submitter.post("/v1/intakes", body(amends=first["intake_id"])).status_code == 202


def test_a_damaged_identity_stops_no_amendment_of_the_same_patient(submitter, first, sessions):
    with sessions.begin() as session:
        session.execute(update(Intake).values(identity=b""))
    assert submitter.post("/v1/intakes", body(amends=first["intake_id"], mrn="MRN-2")).status_code == 409
    assert submitter.post("/v1/intakes", body(amends=first["intake_id"])).status_code == 202
    with sessions.begin() as session:
        session.execute(update(Intake).values(birth_date_hash=None))
    unknown = submitter.post("/v1/intakes", body(amends=first["intake_id"]))
    assert (unknown.status_code, unknown.json["type"]) == (409, OTHER), "what is not known is not the same"


def test_a_correction_changes_the_identity_and_says_which_fields(correct, operator, first, admin):
    answer = correct(first, mrn="MRN-2", given_name="Very", family_name="Right")
    assert answer.status_code == 200, answer.text
    after = answer.json
    assert after["patient"] == first["patient"] | {"mrn": "MRN-2", "name": "Very Right"}
    assert after | {"patient": first["patient"]} == first, "nothing else changes"
    assert answer.headers["ETag"] == '"2"'
    *_, event = operator.get(first["links"]["events"]).json["events"]
    assert (event["type"], event["by"]) == ("referral.identity_corrected", CORRECTION["by"])
    assert event["data"] == {"fields": ["family_name", "given_name", "mrn"]}
    (kept,) = history(admin, first)["corrections"]
    assert (kept["by"], kept["reason"], kept["fields"]) == (
        CORRECTION["by"],
        CORRECTION["reason"],
        ["family_name", "given_name", "mrn"],
    )
    assert kept["before"] == {"mrn": "MRN-1", "birth_date": "1980-05-17", "family_name": None, "given_name": None}
    assert kept["after"] == kept["before"] | {"mrn": "MRN-2", "family_name": "Right", "given_name": "Very"}
    assert not kept["identity_unreadable"]


def test_a_changed_birth_date_makes_a_version_of_an_open_case(correct, operator, first, admin, sessions):
    """Asked for by the first form, the newest is what is worked on; another age is another form."""
    newer = correct(first, birth_date="1981-01-01", mrn="MRN-2").json
    assert newer["links"]["supersedes"] == first["links"]["self"]
    assert newer["patient"] == first["patient"] | {"mrn": "MRN-2", "birth_date": "1981-01-01"}
    assert (newer["queue"], newer["priority"], newer["status"]) == (first["queue"], first["priority"], "queued")
    assert newer["acknowledge_by"] == first["acknowledge_by"], "no new start"
    events = operator.get(newer["links"]["events"]).json["events"]
    assert [event["type"] for event in events] == ["referral.queued", "referral.answered"]
    assert (events[1]["by"], events[1]["data"]) == (CORRECTION["by"], {"fields": ["patient.birth_date"]})
    assert operator.get(first["links"]["self"]).json["status"] == "superseded"
    newest = correct(first, birth_date="1982-01-01").json
    assert newest["links"]["supersedes"] == newer["links"]["self"], "also where an old referral is named"
    with sessions() as session:
        ages = session.scalars(select(Intake.answers["age_years"].as_integer()).order_by(Intake.id)).all()
    assert ages == [46, 45, 44]
    told = [history(admin, each)["corrections"] for each in (first, newer, newest)]
    assert [[each["after"]["birth_date"] for each in corrections] for corrections in told] == [
        ["1981-01-01", "1982-01-01"]
    ] * 3, "also where the version was made by the correction"
    assert told[2][0]["before"] == {"mrn": "MRN-1", "birth_date": "1980-05-17", "family_name": None, "given_name": None}
    page = history(admin, newest, "?limit=1")
    assert page["corrections"] + history(admin, newest, f"?limit=1&after={page['next']}")["corrections"] == told[2]


def test_a_corrected_birth_date_may_raise_the_priority(correct, submitter, operator, triage_all):
    """What is an adult's sore hip is a slipped epiphysis of a child, until that is excluded."""
    (case,) = (case for case in cases() if case.name == "H16")
    form = born(case.body())
    adult = referral_of(submitter.post("/v1/intakes", form).json, submitter, operator, triage_all)
    child = correct(adult, birth_date="2013-05-17").json
    assert (adult["queue"], adult["priority"]) == ("clinical_review", "prompt")
    assert (child["queue"], child["priority"], child["red_flags"]) == ("urgent", "urgent", ["RF_PAED_HIP"])
    assert child["acknowledge_by"] < adult["acknowledge_by"]


@pytest.mark.parametrize("placeholder", ["0001-01-01", "1900-01-01", "9999-12-31"])
def test_a_birth_date_that_nobody_knows_is_corrected_to_the_placeholder(
    placeholder, correct, first, submitter, operator, triage_all
):
    """As a form takes it: the age counts as unanswered, and the hospital's next version is of the same patient."""
    answer = correct(first, birth_date=placeholder)
    assert answer.status_code == 200, answer.text
    assert answer.json["patient"]["birth_date"] == placeholder
    newer = submitter.post("/v1/intakes", body(amends=first["intake_id"], birth_date=placeholder))
    assert newer.status_code == 202, newer.text
    newest = referral_of(newer.json, submitter, operator, triage_all)
    assert newest["links"]["supersedes"] == answer.json["links"]["self"]
    assert "patient.age_years" in missing(answer.json)
    assert missing(answer.json) == missing(newest)


def test_a_changed_birth_date_of_a_closed_case_makes_no_version(correct, operator, first, sessions):
    operator.post(f"{first['links']['self']}/acknowledge", {"by": "Dr A. Okafor"})
    operator.post(f"{first['links']['self']}/complete", {"by": "Dr A. Okafor", "outcome": "Seen."})
    after = correct(first, birth_date="1981-01-01").json
    assert (after["id"], after["status"], count(sessions)) == (first["id"], "completed", 1)
    assert after["patient"]["birth_date"] == "1981-01-01"


def test_the_same_again_changes_nothing(correct, first, admin):
    once, twice = correct(first, mrn="MRN-2"), correct(first, mrn="MRN-2")
    assert (twice.status_code, twice.json, twice.headers["ETag"]) == (200, once.json, once.headers["ETag"])
    assert len(history(admin, first)["corrections"]) == 1


def test_the_whole_chain_is_corrected_and_later_amendments_go_by_it(
    correct, submitter, operator, first, triage_all, admin
):
    second = submitter.post("/v1/intakes", body("neurology", amends=first["intake_id"], given_name="Second")).json
    newer = referral_of(second, submitter, operator, triage_all)
    waiting = submitter.post("/v1/intakes", body("neurology", amends=second["id"])).json  # not triaged yet
    assert correct(first, mrn="MRN-2").status_code == 200, "a closed one, too"
    assert operator.get(first["links"]["self"]).json["status"] == "superseded"
    newer = operator.get(newer["links"]["self"]).json
    assert (newer["patient"]["mrn"], newer["patient"]["name"]) == ("MRN-2", "Second")
    assert [len(history(admin, each)["corrections"]) for each in (first, newer)] == [1, 1]
    assert submitter.post("/v1/intakes", body(amends=waiting["id"])).json["type"] == OTHER
    assert submitter.post("/v1/intakes", body(amends=waiting["id"], mrn="MRN-2")).status_code == 202
    assert referral_of(waiting, submitter, operator, triage_all)["patient"]["mrn"] == "MRN-2"


def test_duplicates_go_by_the_corrected_identity(correct, referral, operator):
    one, other = referral("urgent", mrn="MRN-1"), referral("neurology", mrn="MRN-2")
    assert one["duplicates"] == other["duplicates"] == []
    corrected = correct(one, mrn="MRN-2").json
    assert [each["id"] for each in corrected["duplicates"]] == [other["id"]]
    assert [each["id"] for each in operator.get(other["links"]["self"]).json["duplicates"]] == [one["id"]]


def test_what_was_stored_is_replayed_after_its_correction(correct, submitter, operator, first, sessions, triage_all):
    amending = body("neurology", amends=first["intake_id"])
    sent = submitter.post("/v1/intakes", amending, Idempotency_Key="k1").json
    referral_of(sent, submitter, operator, triage_all)
    correct(first, mrn="MRN-2")
    again = submitter.post("/v1/intakes", amending, Idempotency_Key="k1")
    assert (again.status_code, again.json["id"]) == (200, sent["id"])
    assert post(submitter, {"idempotency_key": "k1", "form": amending})[0]["intake"]["id"] == sent["id"]
    assert submitter.post("/v1/intakes", amending).json["type"] == OTHER
    assert count(sessions) == 2


@pytest.mark.parametrize(
    ("patient", "pointer"),
    [
        ({}, "/patient"),
        ({"mrn": ""}, "/patient/mrn"),
        ({"mrn": None}, "/patient/mrn"),
        ({"mrn": "not_asked"}, "/patient/mrn"),
        ({"mrn": "x" * 129}, "/patient/mrn"),
        ({"mrn": "a\u0000"}, "/patient/mrn"),
        ({"birth_date": "1980-02-30"}, "/patient/birth_date"),
        ({"family_name": 7}, "/patient/family_name"),
        ({"sex_at_birth": "male"}, "/patient/sex_at_birth"),
    ],
)
def test_what_is_no_identity_is_refused(patient, pointer, correct, first, operator, sessions):
    answer = correct(first, **patient)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert operator.get(first["links"]["self"]).json == first
    assert count(sessions, IdentityCorrection) == 0


@pytest.mark.parametrize(("body", "detail"), [({}, "Required."), ({"patient": None}, "Required, so not null.")])
def test_an_identity_that_is_left_out_is_named_as_every_other_member(body, detail, first, operator):
    answer = operator.post(f"{first['links']['self']}/correct-identity", {"by": "R. Moss", "reason": "Typed"} | body)
    assert (answer.status_code, answer.json["errors"]) == (422, [{"pointer": "/patient", "detail": detail}])


def test_it_takes_what_the_form_takes():
    for name, given in CorrectedPatient().fields.items():
        asked = check_of(active().form.fields[name])
        for value in ("x" * 128, "x" * 129, "1980-05-17", "1980-02-30", 7, "\u0000"):
            assert (given.refuse(value) is None) == (asked.refuse(value) is None), (name, value)


def test_a_stale_state_is_not_corrected(correct, first, sessions):
    assert correct(first, headers={"If_Match": '"7"'}, mrn="MRN-2").status_code == 412
    assert count(sessions, IdentityCorrection) == 0
    assert correct(first, headers={"If_Match": '"1"'}, mrn="MRN-2").status_code == 200


def test_what_is_not_there_is_not_corrected(operator, admin):
    assert operator.post(f"/v1/referrals/{NOBODY}/correct-identity", CORRECTION).status_code == 404
    assert admin.get(f"/v1/referrals/{NOBODY}/identity-history").status_code == 404


def test_the_history_has_pages(correct, first, admin):
    for number in range(2, 7):
        correct(first, mrn=f"MRN-{number}")
    one = history(admin, first, "?limit=2")
    two = history(admin, first, f"?limit=2&after={one['next']}")
    three = history(admin, first, f"?limit=2&after={two['next']}")
    found = [each["after"]["mrn"] for page in (one, two, three) for each in page["corrections"]]
    assert found == [f"MRN-{number}" for number in range(2, 7)]
    assert three["next"] is None
    for query in ("?limit=0", "?limit=201", "?after=x", "?other=1"):
        assert admin.get(f"{first['links']['self']}/identity-history{query}").status_code == 422


def test_its_department_hears_of_it_and_of_no_value(correct, first, sessions):
    with sessions.begin() as session:
        row = {"id": uuid7(), "queue": "urgent", "url": "https://department.example", "secret": b"sealed"}
        session.execute(insert(Destination).values(**row))
    correct(first, mrn="CANARY-2")
    with sessions() as session:
        (sent,) = session.scalars(select(Delivery)).all()
    assert sent.payload["type"] == "referral.identity_corrected"
    assert "CANARY" not in repr(sent.payload)


def test_nothing_of_it_is_in_the_clear(correct, first, sessions, log_text):  # noqa: F811
    correction = {"mrn": "CANARY-2", "family_name": "CANARY-FAMILY", "birth_date": "1957-08-29"}
    assert correct(first, **correction).status_code == 200
    with sessions() as session:
        rows = [session.execute(text(f"select * from {table}")).all() for table in TABLES]  # noqa: S608 - ours
    assert tells(repr(rows)) == []
    assert CORRECTION["reason"] not in repr(rows)
    assert tells(log_text()) == []


TABLES = ("intakes", "referrals", "events", "identity_corrections", "deliveries")


def test_an_identity_that_does_not_open_is_made_anew_from_both(correct, first, sessions, admin):
    with sessions.begin() as session:
        session.execute(update(Intake).values(identity=b"\x04test"))
    answer = correct(first, mrn="MRN-1")
    assert (answer.status_code, answer.json["type"]) == (409, "urn:psoas:problem:identity-unreadable")
    after = correct(first, mrn="MRN-1", birth_date="1980-05-17")
    assert after.status_code == 200
    assert after.json["patient"]["mrn"] == "MRN-1"
    assert not after.json["identity_unreadable"]
    (kept,) = history(admin, first)["corrections"]
    assert (kept["before"], kept["identity_unreadable"]) == (None, True)
    with sessions() as session:
        assert session.scalar(select(IdentityCorrection.before)) == b"\x04test", "what was there is kept"


def test_answers_are_as_described(app, correct, first, admin):
    spec = document(app)
    assert conforms(spec, correct(first, mrn="MRN-2"), "post", "/v1/referrals/{referral_id}/correct-identity")
    assert conforms(spec, correct(first), "post", "/v1/referrals/{referral_id}/correct-identity")
    answer = admin.get(f"{first['links']['self']}/identity-history")
    assert conforms(spec, answer, "get", "/v1/referrals/{referral_id}/identity-history")


def test_an_amendment_waits_for_the_correction_that_it_meets(app, submitter, first, sessions):
    """Compared before the correction and stored after it, it would have the old number in the new chain."""
    context = app.extensions[EXTENSION]
    with ThreadPoolExecutor(1) as other, sessions.begin() as session:
        (kept,) = identities.hold_chain(session, first["id"], identities.Scope.everything())
        begun = threading.Event()

        def amend():
            begun.set()
            sender = Caller(app.test_client(), submitter.key)
            return sender.post("/v1/intakes", body("neurology", amends=first["intake_id"]))

        answer = other.submit(amend)
        begun.wait()
        waits = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
        with sessions() as watching:
            while not watching.scalar(waits):
                assert not answer.done()
        session.execute(update(Intake).values(patient_hash=b"corrected", identity=context.cipher.seal(b"{}", row="x")))
        session.commit()
        assert answer.result().json["type"] == OTHER
    assert kept.facility == FACILITY


def test_correcting_and_working_at_once_ends(app, operator, first, sessions):
    """Actions lock the referral, versions the chain first: none waits for another that waits for it."""

    def do(number):
        sender = Caller(app.test_client(), operator.key)
        path = first["links"]["self"]
        if number % 2:
            return sender.post(f"{path}/correct-identity", CORRECTION | {"patient": {"mrn": f"MRN-{number}"}})
        return sender.post(f"{path}/acknowledge", {"by": "Dr A. Okafor"})

    with ThreadPoolExecutor(4) as crowd:
        answers = list(crowd.map(do, range(24)))
    assert {answer.status_code for answer in answers} == {200}
    with sessions() as session:
        kept = session.execute(select(Referral.mrn_hash, Intake.mrn_hash).join(Intake, Intake.id == Referral.intake_id))
        own, of_intake = kept.one()
        assert own == of_intake
