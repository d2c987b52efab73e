"""A key of staff that names a facility sees that facility alone; only some roles may go without one."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from services.api.context import context_of
from services.api.events.sse import EventStream, View
from shared.store.access.scope import Scope
from shared.store.delivery import destinations
from shared.store.delivery.destinations import Place
from shared.store.event_log.feed import Reader
from shared.tables import ROLES, WITHOUT_FACILITY, ApiKey, Delivery, Referral
from tests.api.test_referrals import ACTIONS

STAFF = ("operator", "auditor", "admin")
READ_REFERRALS = ("operator", "admin")


@pytest.fixture
def two(caller, referral):
    """A referral of `city` and one of `hills`."""
    senders = {name: caller("submitter", facility=name) for name in ("city", "hills")}
    return {name: referral("neurology", sender=sender) for name, sender in senders.items()}


@pytest.mark.parametrize("role", READ_REFERRALS)
def test_a_referral_of_another_facility_is_none(role, caller, two):
    staff = caller(role, facility="city")
    assert staff.get(two["city"]["links"]["self"]).status_code == 200
    for path in (two["hills"]["links"]["self"], two["hills"]["links"]["events"]):
        assert staff.get(path).status_code == 404
    for action, body in ACTIONS.items():
        assert staff.post(f"{two['hills']['links']['self']}/{action}", body).status_code == 404
    assert staff.get(f"/v1/intakes/{two['hills']['intake_id']}").status_code == 404
    assert staff.get(f"/v1/intakes/{two['city']['intake_id']}").status_code == 200


@pytest.mark.parametrize("role", READ_REFERRALS)
def test_worklists_and_counts_are_the_facilitys(role, caller, two):
    staff = caller(role, facility="city")
    listed = staff.get("/v1/queues/neurology/referrals").json["referrals"]
    assert [each["id"] for each in listed] == [two["city"]["id"]]
    counts = {queue["name"]: queue["open"] for queue in staff.get("/v1/queues").json["queues"]}
    assert counts["neurology"] == 1


@pytest.mark.parametrize("role", READ_REFERRALS)
def test_deliveries_are_those_of_the_facilitys_referrals(role, caller, referral, sessions, app):
    with sessions.begin() as session:
        destinations.put(session, Place("neurology", None, 0, "https://example.org/"), context_of(app).cipher)
    senders = [caller("submitter", facility=name) for name in ("hills", "city", "hills", "city", "hills")]
    for sender in senders:
        referral("neurology", sender=sender)
    with sessions.begin() as session:
        session.execute(update(Delivery).values(status="parked"))
        rows = session.execute(select(Delivery.id, Referral.facility).join(Referral)).all()
    of = {name: {str(row.id) for row in rows if row.facility == name} for name in ("city", "hills")}
    assert (len(of["city"]), len(of["hills"])) == (2, 3)
    staff, shown, cursor = caller(role, facility="city"), [], ""
    while cursor is not None:
        page = staff.get(f"/v1/deliveries?limit=1{cursor and '&cursor=' + cursor}").json
        shown += [each["id"] for each in page["deliveries"]]
        cursor = page["next"]
    assert (len(shown), set(shown)) == (2, of["city"])
    assert staff.post(f"/v1/deliveries/{min(of['hills'])}/retry", {}).status_code == 404
    assert staff.post(f"/v1/deliveries/{min(of['city'])}/retry", {}).status_code == 200
    with sessions() as session:
        due = session.scalars(select(Delivery.id).where(Delivery.status == "due")).all()
    assert [str(each) for each in due] == [min(of["city"])]


@pytest.mark.parametrize("role", STAFF)
def test_the_feed_is_the_facilitys_and_goes_on_after_what_it_examined(role, caller, two):
    everything = caller(role).get("/v1/events").json
    assert {each["referral_id"] for each in everything["events"]} == {each["id"] for each in two.values()}
    staff = caller(role, facility="city")
    page = staff.get("/v1/events").json
    assert {each["referral_id"] for each in page["events"]} == {two["city"]["id"]}
    assert page["next"] == everything["next"]
    assert staff.get(f"/v1/events?after={page['next']}").json == {"events": [], "next": page["next"]}
    assert staff.get(two["hills"]["links"]["events"]).status_code == 404


def test_pages_of_the_feed_give_each_of_the_facilitys_events_once(caller, operator, two):
    for each in two.values():
        for action in ("acknowledge", "release") * 3:
            assert operator.post(f"{each['links']['self']}/{action}", ACTIONS[action]).status_code == 200
    staff, after, found = caller("operator", facility="hills"), 0, []
    while True:
        page = staff.get(f"/v1/events?after={after}&limit=2").json
        found += page["events"]
        if page["next"] == after:
            break
        after = page["next"]
    whole = [
        each["id"] for each in operator.get("/v1/events").json["events"] if each["referral_id"] == two["hills"]["id"]
    ]
    assert [each["id"] for each in found] == whole
    assert len(whole) == 7


def test_a_stream_is_the_facilitys(app, operator, two):
    assert operator.get("/v1/events").json["next"] == 2
    feed_follower = context_of(app).feed_follower
    assert feed_follower.join()
    view = View(Reader("hills"), context_of(app).cipher)
    stream = EventStream(feed_follower, context_of(app).sessions, 0, view, may_go_on=lambda: True)
    try:
        chunks = iter(stream)
        sent = next(chunks) + next(chunks)
    finally:
        stream.close()
    assert two["hills"]["id"].encode() in sent
    assert two["city"]["id"].encode() not in sent


def test_the_roles_that_may_go_without_a_facility_are_the_databases(caller):
    for role in ROLES:
        assert caller(role, facility="city")
        if role in WITHOUT_FACILITY:
            assert caller(role)
        else:
            with pytest.raises(IntegrityError, match="ck_api_keys_facility"):
                caller(role)


def test_a_facility_cannot_be_taken_from_a_submitters_key(caller, sessions):
    caller("submitter", facility="city")
    with sessions.begin() as session, pytest.raises(IntegrityError, match="ck_api_keys_facility"):
        session.execute(update(ApiKey).values(facility=None))


def test_a_scope_that_sees_everything_is_made_by_name_alone():
    with pytest.raises(TypeError):
        Scope()
    assert Scope.everything().referrals() == []
    assert len(Scope.of_facility("city").referrals()) == 1
