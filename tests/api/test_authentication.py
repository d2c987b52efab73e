"""Who may call what: every route, every role, every tenant, listed from the routes themselves."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from services.api.http import key_cache
from services.api.http.auth import PUBLIC
from shared.platform.clock import now
from shared.store.access import keys
from shared.tables import ROLES, ApiKey
from tests.api.test_intakes import MINIMAL
from tests.api.test_referrals import ACTIONS

CORRECTION = {"by": "A. Clerk", "reason": "Typing error.", "patient": {"mrn": "MRN-2"}}
ANSWERS = {"by": "A. Nurse", "answers": {"symptoms.onset": "sudden"}}
CONFIRMATION = {"by": "Dr A. Okafor", "reason": "Seen by telephone."}
BODIES = ACTIONS | {"correct-identity": CORRECTION, "answers": ANSWERS, "confirm-downgrade": CONFIRMATION}
BODIES |= {"search": {"mrn": "MRN-1"}}
EVERYBODY = set(ROLES)
WORKERS = {"department", "operator", "admin"}
NOBODY = "0197c9a0-0000-7000-8000-000000000000"

# The contract's table of roles, route by route. A route that is not here fails the tests below.
MAY = {
    ("POST", "/v1/intakes"): {"submitter", "admin"},
    ("POST", "/v1/intakes/batch"): {"submitter", "admin"},
    ("GET", "/v1/intakes"): {"submitter", "operator", "admin"},
    ("GET", "/v1/intakes/<uuid:intake_id>"): {"submitter", "operator", "admin"},
    ("POST", "/v1/triage/preview"): EVERYBODY - {"auditor"},
    ("GET", "/v1/form"): EVERYBODY,
    ("GET", "/v1/protocol"): EVERYBODY,
    ("GET", "/v1/queues"): WORKERS,
    ("GET", "/v1/queues/<queue>/referrals"): WORKERS,
    ("GET", "/v1/referrals/<uuid:referral_id>"): WORKERS | {"submitter"},
    ("GET", "/v1/referrals/<uuid:referral_id>/form"): WORKERS,
    ("GET", "/v1/referrals/<uuid:referral_id>/events"): WORKERS | {"auditor", "submitter"},
    ("GET", "/v1/referrals"): WORKERS,
    ("POST", "/v1/referrals/search"): WORKERS | {"submitter"},
    ("GET", "/v1/events"): {"submitter", "operator", "auditor", "admin"},
    ("GET", "/v1/deliveries"): {"operator", "admin"},
    ("POST", "/v1/deliveries/<uuid:delivery_id>/retry"): {"operator", "admin"},
    **{("POST", f"/v1/referrals/<uuid:referral_id>/{action}"): WORKERS for action in ACTIONS},
    ("GET", "/v1/referrals/<uuid:referral_id>/ask-next"): WORKERS,
    ("POST", "/v1/referrals/<uuid:referral_id>/answers"): WORKERS,
    ("POST", "/v1/referrals/<uuid:referral_id>/confirm-downgrade"): WORKERS,
    ("POST", "/v1/referrals/<uuid:referral_id>/correct-identity"): {"operator", "admin"},
    ("GET", "/v1/referrals/<uuid:referral_id>/identity-history"): {"admin"},
    ("POST", "/v1/access/search"): {"auditor", "admin"},
}
OPEN = {
    "/console/sign-in",
    "/console/sign-in/oidc",
    "/console/sign-in/oidc/callback",
    "/console/assets/<path:name>",
    "/",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/docs/problems",
    "/docs/assets/<path:name>",
}


def routes(app):
    return {
        (method, rule.rule): rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def call(caller, method, rule):
    path = re.sub("<uuid:[a-z_]+>", NOBODY, rule).replace("<queue>", "urgent")
    if method == "GET":
        return caller.get(path)
    if path.endswith("/batch"):
        return caller.send(path, json.dumps({"form": MINIMAL}).encode(), Content_Type="application/x-ndjson")
    return caller.post(path, BODIES.get(path.rsplit("/", 1)[1], MINIMAL))


def test_every_route_is_open_on_purpose_or_names_its_roles(app):
    assert {rule for (_, rule), endpoint in routes(app).items() if endpoint in PUBLIC} == OPEN
    closed = {route: endpoint for route, endpoint in routes(app).items() if endpoint not in PUBLIC}
    roles = {route: set(app.view_functions[endpoint].roles) for route, endpoint in closed.items()}
    assert {route: may for route, may in roles.items() if not route[1].startswith("/console")} == MAY
    assert all(roles.values())  # the console's own are in tests/browser and tests/api/test_console.py


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "rule"), MAY)
def test_a_role_may_do_what_the_table_says(method, rule, role, caller):
    answer = call(caller(role, facility="st-marys", queues=["urgent"]), method, rule)
    if role in MAY[method, rule]:
        assert answer.status_code in (200, 202, 404)
    else:
        assert answer.status_code == 403
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(("method", "rule"), MAY)
def test_without_a_key_nothing_opens(method, rule, caller):
    answer = call(caller(None), method, rule)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/openapi.json", "/docs"])
def test_the_open_ones_need_no_key(path, caller):
    assert caller(None).get(path).status_code == 200


def test_keys_that_do_not_open(submitter, caller):
    key_id, secret = keys.split(submitter.key)
    other_id, _ = keys.split(caller("submitter", facility="city").key)
    wrong = [
        *("", "Bearer", "Bearer ", f"Basic {submitter.key}", submitter.key, f"Bearer {secret}"),
        *(f"Bearer rk_{key_id}_", f"Bearer rk__{secret}", f"Bearer rk_{other_id}_{secret}", "Bearer rk_a_b"),
        *(f"Bearer {submitter.key[:-1]}", f"Bearer {submitter.key}0", f"Bearer RK_{key_id}_{secret}"),
        *(f"Bearer rk_{key_id}_{secret.upper()}", f"Bearer rk_caf\u00e9_{secret}", "Bearer rk_%00_x"),
    ]
    for authorization in wrong:
        answer = caller(None).get("/v1/form", Authorization=authorization)
        assert (authorization, answer.status_code) == (authorization, 401)
    assert caller(None).get("/v1/form", Authorization=f"bearer {submitter.key}").status_code == 200


def test_a_revoked_key_opens_no_longer_than_a_second(submitter, sessions, monkeypatch):
    assert submitter.get("/v1/form").status_code == 200
    with sessions.begin() as session:
        assert keys.revoke(session, keys.split(submitter.key)[0])
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 0.0)  # as if the second had passed
    assert submitter.get("/v1/form").status_code == 401
    assert key_cache.FRESH_SECONDS <= 1


def test_an_expired_key_does_not_open(caller):
    late = caller("operator", expires_at=now() - timedelta(seconds=1))
    timely = caller("operator", expires_at=now() + timedelta(hours=1))
    assert (late.get("/v1/form").status_code, timely.get("/v1/form").status_code) == (401, 200)


def test_only_the_hash_of_a_secret_is_stored(submitter, sessions):
    _, secret = keys.split(submitter.key)
    assert len(bytes.fromhex(secret)) == 32
    with sessions() as session:
        row = session.query(ApiKey).one()
    assert secret not in repr(vars(row))
    assert bytes.fromhex(secret) not in row.secret_hash


def test_a_row_of_another_facility_is_a_row_that_does_not_exist(referral, caller, submitter):
    ours = referral("neurology")
    neighbours = [
        caller("submitter", facility="city"),
        caller("department", facility="city", queues=["neurology"]),
        caller("department", facility="st-marys", queues=["urgent", "orthopedics"]),
        caller("department", queues=[]),
    ]
    missing = ours["links"]["self"].replace(ours["id"], NOBODY)
    for neighbour in neighbours:
        there, nowhere = neighbour.get(ours["links"]["self"]), neighbour.get(missing)
        assert there.status_code == nowhere.status_code == 404
        assert there.json["detail"] == nowhere.json["detail"]
    assert neighbours[0].get(ours["links"]["intake"]).status_code == 404
    assert submitter.get(ours["links"]["intake"]).status_code == 200
    for department in neighbours[1:]:
        assert department.get(ours["links"]["events"]).status_code == 404
        for action, body in ACTIONS.items():
            assert department.post(f"{ours['links']['self']}/{action}", body).status_code == 404


def test_a_department_works_its_own_queues(referral, caller, operator):
    ours = referral("neurology")
    neurology = caller("department", queues=["neurology"])
    assert neurology.get(ours["links"]["self"]).json == ours
    assert [each["id"] for each in neurology.get("/v1/queues/neurology/referrals").json["referrals"]] == [ours["id"]]
    assert neurology.get("/v1/queues/urgent/referrals").status_code == 403
    moved = neurology.post(f"{ours['links']['self']}/reroute", ACTIONS["reroute"])
    assert (moved.status_code, moved.json["queue"]) == (200, "orthopedics")
    assert neurology.get(ours["links"]["self"]).status_code == 404
    assert operator.get(ours["links"]["self"]).status_code == 200


def test_a_department_of_a_facility_sees_that_facility_only(referral, caller):
    city = caller("submitter", facility="city")
    ours, theirs = referral("neurology"), referral("neurology", sender=city, mrn="MRN-2")
    department = caller("department", facility="city", queues=["neurology"])
    worklist = department.get("/v1/queues/neurology/referrals").json["referrals"]
    assert [each["id"] for each in worklist] == [theirs["id"]]
    states = {state["name"]: state["open"] for state in department.get("/v1/queues").json["queues"]}
    assert states["neurology"] == 1
    assert ours["facility"] == "st-marys"


def test_staff_work_across_facilities(referral, caller, operator):
    city = caller("submitter", facility="city")
    both = {referral("neurology")["id"], referral("neurology", sender=city, mrn="MRN-2")["id"]}
    for staff in (operator, caller("admin")):
        assert {each["id"] for each in staff.get("/v1/queues/neurology/referrals").json["referrals"]} == both


def test_a_submitter_follows_the_status_and_sees_no_identity(referral, submitter):
    ours = submitter.get(referral("neurology")["links"]["self"]).json
    assert ours["status"] == "queued"
    assert ours["patient"] is None


def test_an_auditor_reads_events_without_what_people_wrote(referral, caller, operator):
    ours = referral("neurology")
    operator.post(f"{ours['links']['self']}/acknowledge", {"by": "Dr A. Okafor", "note": "Mrs CANARY rang."})
    answer = caller("auditor").get(ours["links"]["events"])
    assert [event["type"] for event in answer.json["events"]] == ["referral.queued", "referral.acknowledged"]
    assert "CANARY" not in answer.text
    assert "CANARY" in operator.get(ours["links"]["events"]).text


def test_a_key_whose_role_is_changed_follows(submitter, sessions, monkeypatch):
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 0.0)
    with sessions.begin() as session:
        session.execute(update(ApiKey).values(role="auditor"))
    assert submitter.post("/v1/intakes", MINIMAL).status_code == 403
