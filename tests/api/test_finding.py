"""Finding: references, lists over all queues, search, and a facility's own intakes."""

from datetime import UTC, datetime
from itertools import product

import pytest
from sqlalchemy import select, text, update

from shared.clinical.referral.lifecycle import STATUSES
from shared.clinical.referral.references import read_reference
from shared.store.lists import finding
from shared.tables import Intake, Referral
from tests.api.test_referrals import ACTIONS
from tests.cases import case_for

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def pages(reader, path, limit):
    """Follow `next` to the end; return the ids."""
    ids, cursor = [], ""
    while True:
        page = reader.get(f"{path}{'&' if '?' in path else '?'}limit={limit}{cursor}").json
        assert len(page["referrals"]) <= limit
        ids += [each["id"] for each in page["referrals"]]
        if page["next"] is None:
            return ids
        cursor = f"&cursor={page['next']}"


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json["referrals"]]


def search(reader, query="", **body):
    return reader.post(f"/v1/referrals/search{query}", body)


@pytest.fixture
def many(referral, operator, caller, sessions):
    """Referrals of two facilities in all queues, some acknowledged or closed, some overdue: as stored."""
    city = caller("submitter", facility="city")
    for number, queue in enumerate(("urgent", "neurology", "clinical_review") * 3):
        sent = referral(queue, mrn=f"MRN-{number}", **({"sender": city} if number % 4 == 0 else {}))
        path = sent["links"]["self"]
        if number % 3 == 1:
            assert operator.post(f"{path}/acknowledge", ACTIONS["acknowledge"]).status_code == 200
        if number == 4:
            assert operator.post(f"{path}/complete", ACTIONS["complete"]).status_code == 200
        if number % 2 == 0:
            with sessions.begin() as session:
                session.execute(update(Referral).where(Referral.id == sent["id"]).values(acknowledge_by=LONG_AGO))
    with sessions() as session:
        order = (Referral.priority, Referral.acknowledge_by, Referral.id)
        return session.scalars(select(Referral).order_by(*order)).all()


def test_every_referral_has_a_reference_of_its_own_wherever_it_is_shown(referral, operator, submitter):
    first, second = referral("urgent", mrn="MRN-1"), referral("neurology", mrn="MRN-2")
    assert first["reference"] != second["reference"]
    assert read_reference(first["reference"]) == first["reference"]
    intake = submitter.get(first["links"]["intake"]).json
    assert intake["referral"]["reference"] == first["reference"]
    timeline = operator.get(first["links"]["events"]).json["events"]
    feed = operator.get("/v1/events").json["events"]
    assert [event["reference"] for event in timeline] == [first["reference"]]
    assert [event["reference"] for event in feed] == [first["reference"], second["reference"]]


def test_the_database_makes_no_reference_twice_and_none_that_is_wrong(many, sessions):
    assert many
    with sessions() as session:
        made = session.scalars(text("select new_reference() from generate_series(1, 2000)")).all()
    assert len(set(made)) == 2000
    assert [read_reference(each) for each in made] == made
    for place in (2, 3, 4, 5, 7, 8, 9, 10):
        assert len({each[place] for each in made}) == 32


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_the_list_has_all_that_a_filter_says_in_the_order_of_a_worklist(many, operator, limit):
    now = datetime.now(UTC)  # noqa: TID251 - of rows that the database's clock has dated
    for queue, status, overdue, facility in product(
        (None, "urgent", "neurology"), (None, "all", "queued", "completed"), (None, True, False), (None, "city", "x")
    ):
        given = {"queue": queue, "status": status, "facility": facility, "overdue": overdue and "true"}
        given["overdue"] = None if overdue is None else str(overdue).lower()
        query = "&".join(f"{name}={value}" for name, value in given.items() if value is not None)
        expected = [
            str(each.id)
            for each in many
            if queue in (None, each.queue)
            and facility in (None, each.facility)
            and (status == "all" or each.status in ([status] if status else ["queued", "acknowledged"]))
            and overdue in (None, each.status == "queued" and each.acknowledge_by < now)
        ]
        assert pages(operator, f"/v1/referrals?{query}", limit) == expected, query


def test_the_list_by_priority_person_and_moment(many, operator):
    for place, priority in enumerate(("emergency", "urgent", "prompt", "routine")):
        expected = [str(r.id) for r in many if r.priority == place and r.status in ("queued", "acknowledged")]
        assert ids(operator.get(f"/v1/referrals?priority={priority}")) == expected
    held = [str(each.id) for each in many if each.status == "acknowledged"]
    name = many[0].acknowledged_by or ACTIONS["acknowledge"]["by"]
    assert held
    assert (
        ids(operator.client.get("/v1/referrals", query_string={"acknowledged_by": name}, headers=_auth(operator)))
        == held
    )
    since = sorted(each.created_at for each in many)[4]
    expected = [str(each.id) for each in many if each.created_at >= since]
    asked = {"since": since.isoformat(), "status": "all"}
    assert ids(operator.client.get("/v1/referrals", query_string=asked, headers=_auth(operator))) == expected


def test_the_list_by_whether_the_contact_is_overdue(many, operator, sessions, monkeypatch):
    ended = {"contacted_by": "Dr A", "contacted_at": LONG_AGO, "contacted_outcome": "reached"}
    with sessions.begin() as session:
        for each in many[:5]:
            session.execute(update(Referral).where(Referral.id == each.id).values(contact_by=LONG_AGO))
        session.execute(update(Referral).where(Referral.id == many[5].id).values(contact_by=None))
        session.execute(update(Referral).where(Referral.id == many[1].id).values(**ended))
    with sessions() as session:
        rows = session.scalars(select(Referral).order_by(Referral.priority, Referral.acknowledge_by, Referral.id)).all()
    late = {each.id for each in rows if each.contact_by == LONG_AGO and not each.contacted_at} - {
        each.id for each in rows if each.status == "completed"
    }
    assert late
    for most, limit, status in product((1000, 2), (1, 200), ("open", "all", "acknowledged", "completed")):
        monkeypatch.setattr(finding, "MAX_EXAMINED", most)
        of = {"open": ("queued", "acknowledged"), "all": STATUSES}.get(status, (status,))
        for asked in (True, False):
            expected = [str(each.id) for each in rows if each.status in of and (each.id in late) is asked]
            path = f"/v1/referrals?status={status}&contact_overdue={str(asked).lower()}"
            assert pages(operator, path, limit) == expected, path
    shown = operator.get("/v1/referrals?contact_overdue=true").json["referrals"]
    assert all(each["contact_overdue"] for each in shown)


def test_a_filter_that_no_index_knows_reads_a_bounded_part_and_goes_on(many, operator, monkeypatch):
    monkeypatch.setattr(finding, "MAX_EXAMINED", 2)
    since = sorted(each.created_at for each in many)[4].isoformat().replace("+00:00", "Z")
    expected = [str(each.id) for each in many if each.created_at.isoformat().replace("+00:00", "Z") >= since]
    assert pages(operator, f"/v1/referrals?status=all&since={since}", 5) == expected


def _auth(reader):
    return {"Authorization": f"Bearer {reader.key}"}


@pytest.mark.parametrize(
    "query",
    [
        *(
            "queue=x",
            "status=x",
            "priority=x",
            "overdue=1",
            "contact_overdue=1",
            "since=2026-11-22",
            "since=x",
            "limit=0",
        ),
        *("cursor=x", "mrn=MRN-1", "test=yes", "facility="),
    ],
)
def test_a_parameter_that_is_none_is_refused(operator, query):
    answer = operator.get(f"/v1/referrals?{query}")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, f"/{query.partition('=')[0]}")


def test_a_parameter_that_stands_twice_is_refused(operator):
    answer = operator.get("/v1/referrals?queue=urgent&queue=neurology")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/queue")


def test_a_list_has_what_its_key_sees(many, caller):
    department = caller("department", queues=["neurology"])
    neurology = [str(r.id) for r in many if r.queue == "neurology" and r.status != "completed"]
    assert ids(department.get("/v1/referrals")) == neurology
    assert ids(department.get("/v1/referrals?queue=urgent")) == []
    city = caller("operator", facility="city")
    own = [str(r.id) for r in many if r.facility == "city" and r.status != "completed"]
    assert ids(city.get("/v1/referrals")) == own
    assert ids(city.get("/v1/referrals?facility=st-marys")) == []
    for role in ("submitter", "auditor"):
        assert caller(role, facility="city").get("/v1/referrals").status_code == 403


def test_search_by_each_name_and_by_how_a_person_types_it(referral, operator, submitter, triage_all):
    ours = referral("urgent", mrn="MRN-7")
    form = case_for("neurology").body("MRN-8")
    form["encounter"] = {**form.get("encounter", {}), "external_id": "E-1"}
    submitter.post("/v1/intakes", form)
    triage_all()
    assert ids(search(operator, reference=ours["reference"])) == [ours["id"]]
    assert ids(search(operator, reference=ours["reference"].lower().replace("-", ""))) == [ours["id"]]
    (theirs,) = search(operator, external_id="E-1").json["referrals"]
    assert theirs["patient"]["mrn"] == "MRN-8"
    assert ids(search(operator, mrn="MRN-7")) == [ours["id"]]
    assert ids(search(operator, mrn=" MRN\u00ad-7 ")) == [ours["id"]]
    for nobody in ({"external_id": "E-2"}, {"mrn": "MRN-9"}):
        assert search(operator, **nobody).json == {"referrals": [], "next": None}


def test_search_finds_what_is_closed_and_pages_through_many_of_one_patient(referral, operator):
    made = [referral("neurology", mrn="MRN-1") for _ in range(5)]
    path = made[2]["links"]["self"]
    assert operator.post(f"{path}/return", ACTIONS["return"]).status_code == 200
    found, query = [], "?limit=2"
    while True:
        page = search(operator, query, mrn="MRN-1").json
        found += [each["id"] for each in page["referrals"]]
        if page["next"] is None:
            break
        query = f"?limit=2&cursor={page['next']}"
    assert found == [each["id"] for each in reversed(made)]


def test_one_that_is_superseded_brings_the_open_one_along(referral, submitter, operator, triage_all):
    first = referral("neurology", mrn="MRN-1")
    born = {"birth_date": first["patient"]["birth_date"]}
    form = case_for("urgent").body("MRN-1")
    amended = form | {"patient": form["patient"] | born, "amends": first["intake_id"]}
    submitter.post("/v1/intakes", amended)
    triage_all()
    found = search(operator, reference=first["reference"]).json["referrals"]
    assert [each["status"] for each in found] == ["queued", "superseded"]
    assert found[1]["links"]["superseded_by"] == found[0]["links"]["self"]
    assert ids(search(operator, reference=found[0]["reference"])) == [found[0]["id"]]


def test_search_is_in_the_senders_own_facility_and_names_no_patient(referral, submitter, caller):
    ours = referral("urgent", mrn="MRN-7")
    (found,) = search(submitter, mrn="MRN-7").json["referrals"]
    assert (found["id"], found["patient"]) == (ours["id"], None)
    city = caller("submitter", facility="city")
    for known in ({"mrn": "MRN-7"}, {"reference": ours["reference"]}):
        assert search(city, **known).json == {"referrals": [], "next": None}
        assert search(caller("department", queues=["neurology"]), **known).json["referrals"] == []
    assert search(caller("auditor"), mrn="MRN-7").status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"mrn": "1", "reference": "R-7K3M-9Q4M"}, ""),
        ({"reference": "R-7K3M-9Q4T"}, "/reference"),
        ({"reference": 7}, "/reference"),
        ({"mrn": None}, "/mrn"),
        ({"mrn": ""}, "/mrn"),
        ({"mrn": 7}, "/mrn"),
        ({"external_id": "x" * 201}, "/external_id"),
        ({"name": "x"}, "/name"),
    ],
)
def test_a_search_for_something_else_is_refused_and_repeats_nothing(operator, body, pointer):
    answer = search(operator, **body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert "9Q4T" not in answer.text


def post(sender, number, **more):
    form = case_for("neurology").body(f"MRN-{number}")
    form["encounter"] = {**form.get("encounter", {}), "external_id": f"E-{number}"}
    return sender.post("/v1/intakes", {**form, **more}).json["id"]


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_a_facility_lists_its_own_intakes_newest_first(submitter, caller, triage_all, limit):
    old = [post(submitter, number) for number in range(4)]
    triage_all()
    new = [post(submitter, number) for number in range(4, 7)]
    post(caller("submitter", facility="city"), 9)

    def listed(query):
        found, cursor = [], ""
        while True:
            page = submitter.get(f"/v1/intakes?limit={limit}&{query}{cursor}").json
            found += page["intakes"]
            if page["next"] is None:
                return [each["id"] for each in found]
            cursor = f"&cursor={page['next']}"

    newest_first = [*reversed(new), *reversed(old)]
    assert listed("") == newest_first
    assert listed("status=triaged") == newest_first[3:]
    assert listed("status=received") == newest_first[:3]
    assert listed("external_id=E-2") == [old[2]]
    assert listed("external_id=E-9") == []
    since = submitter.get(f"/v1/intakes/{new[0]}").json["received_at"]
    assert listed(f"since={since}") == newest_first[:3]


def test_a_listed_intake_is_the_one_that_is_read_alone(submitter, triage_all):
    one = post(submitter, 1)
    triage_all()
    assert submitter.get("/v1/intakes").json == {"intakes": [submitter.get(f"/v1/intakes/{one}").json], "next": None}


@pytest.mark.parametrize(
    "query", ["status=open", "since=x", "cursor=x", "cursor=W10", "limit=0", "mrn=1", "external_id="]
)
def test_a_list_of_intakes_refuses_what_it_does_not_know(submitter, query):
    answer = submitter.get(f"/v1/intakes?{query}")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, f"/{query.partition('=')[0]}")


def test_who_belongs_to_no_facility_has_no_own_intakes(operator, caller, sessions):
    assert operator.get("/v1/intakes").status_code == 403
    assert caller("department", queues=["urgent"], facility="city").get("/v1/intakes").status_code == 403
    with sessions() as session:
        assert session.scalar(select(Intake.id)) is None
    assert caller("operator", facility="city").get("/v1/intakes").json["intakes"] == []


def test_a_timeline_has_pages(referral, operator):
    path = referral("neurology")["links"]["self"]
    for action in ("acknowledge", "release") * 3:
        assert operator.post(f"{path}/{action}", ACTIONS[action]).status_code == 200
    whole = operator.get(f"{path}/events").json
    assert (len(whole["events"]), whole["next"]) == (7, None)
    found, after = [], 0
    while after is not None:
        page = operator.get(f"{path}/events?limit=2&after={after}").json
        found += page["events"]
        after = page["next"]
    assert found == whole["events"]
    for query in ("limit=201", "after=x", "after=-1", "x=1"):
        assert operator.get(f"{path}/events?{query}").status_code == 422
