"""Writes whatever release 0.1.0 can write into the database; run by its code, see `run`.

Nothing here comes from today's code. What is refused raises.
"""

import json
import sys
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from services.api.app import create_app
from services.api.parts import Parts, parts_of
from services.worker.alone import COMMAND
from services.worker.books import Bookkeeper
from services.worker.child import Child
from services.worker.escalation import Ladder
from services.worker.triage import Triager
from shared.clinical.triage import triage
from shared.protocols import active
from shared.pulse import heart
from shared.settings import load_settings
from shared.store import keys
from shared.task_queues import LANES
from tests.cases import Case, cases

PERSON = {"by": "Dr A. Okafor"}
PATHS = (
    ("acknowledge", {}),
    ("release", {"reason": "Going off duty."}),
    ("reroute", {"reason": "Hip joint.", "queue": "orthopedics", "confirm": True}),
    ("acknowledge", {}),
    ("complete", {"outcome": "Seen in clinic."}),
)
LATE = text("update referrals set escalate_at = now() - interval '1 minute' where escalate_at is not null")


def main(round_name: str) -> None:
    """Issue keys of every role, post every case singly, again, in batches and amended, triage, escalate and act."""
    settings = load_settings()
    app = create_app(settings)
    parts, client = parts_of(app), app.test_client()
    with parts.sessions.begin() as session:
        issued = {
            role: keys.issue(session, role=role, facility=facility, queues=queues)
            for role, facility, queues in (
                ("submitter", "st-marys", ()),
                ("department", "st-marys", ("neurology",)),
                ("operator", None, ()),
                ("auditor", None, ()),
                ("admin", None, ()),
            )
        }
        keys.revoke(session, issued["auditor"][0])
    heart(settings, "api")()
    sender, operator = ({"Authorization": f"Bearer {issued[role][1]}"} for role in ("submitter", "operator"))
    forms = [form(case, f"{round_name}-{number}") for number, case in enumerate(cases())]
    posted = [post(client, sender, each, f"{round_name}-{number}") for number, each in enumerate(forms)]
    assert post(client, sender, forms[0], f"{round_name}-0") == posted[0]
    batch(client, sender, forms, round_name)
    triage_all(parts)
    for (first, intake), second in zip(zip(forms, posted, strict=True), [*forms[1:], forms[0]], strict=True):
        post(client, sender, {**second, "patient": first["patient"], "amends": intake})
    triage_all(parts)
    with parts.sessions.begin() as session:
        session.execute(LATE)
    Ladder(parts.sessions, active().targets, lambda _: None).climb()
    act(client, operator)
    Bookkeeper(parts.sessions).number()
    parts.close()


def form(case: Case, mrn: str) -> dict[str, Any]:
    return case.body(mrn)


def post(client: FlaskClient, sender: dict[str, str], body: dict[str, Any], key: str | None = None) -> str:
    """Post a form; return the id of its intake."""
    headers = sender | ({"Idempotency-Key": key} if key else {})
    answer = client.post("/v1/intakes", json=body, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    return answer.json["id"]


def batch(client: FlaskClient, sender: dict[str, str], forms: list[dict[str, Any]], round_name: str) -> None:
    lines = [{"idempotency_key": f"{round_name}-batch-{number}", "form": each} for number, each in enumerate(forms)]
    content = "\n".join(map(json.dumps, lines))
    headers = sender | {"Content-Type": "application/x-ndjson"}
    answer = client.post("/v1/intakes/batch", data=content, headers=headers)
    assert {json.loads(line)["status"] for line in answer.text.splitlines()} == {202}, answer.text


def triage_all(parts: Parts) -> None:
    with Child(COMMAND) as child:
        triager = Triager(parts.sessions, active(), frozenset(), child, triage, announce=lambda _: None)
        for lane in LANES:
            while triager.triage_waiting(lane):
                pass


def act(client: FlaskClient, operator: dict[str, str]) -> None:
    """Take one referral of each queue through all actions, and return another."""
    for queue in ("urgent", "neurology", "orthopedics", "clinical_review"):
        first, second = client.get(f"/v1/queues/{queue}/referrals?limit=2", headers=operator).json["referrals"]
        for action, body in PATHS:
            take(client, operator, first, action, {**PERSON, **body})
        take(client, operator, second, "return", {**PERSON, "reason": "Please examine first.", "confirm": True})


def take(
    client: FlaskClient, operator: dict[str, str], referral: dict[str, Any], action: str, body: dict[str, Any]
) -> None:
    if action == "reroute" and referral["queue"] == "orthopedics":
        body = {**body, "queue": "neurology"}
    answer = client.post(f"{referral['links']['self']}/{action}", json=body, headers=operator)
    assert answer.status_code == 200, (action, body, answer.text)


main(sys.argv[1])
