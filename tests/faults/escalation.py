"""Referrals that nobody acknowledges, watched by two watchmen, after a gap in which nobody watched at all."""

import time
from functools import partial

from sqlalchemy import text

from tests.cases import case_for
from tests.driver.load import History
from tests.driver.verdict import assert_each_routed_once, unfaithful

from .beside import beside
from .fault import Fault, Scene
from .service import wait_until

EMERGENCY = case_for("urgent", "emergency")
RUNGS = [1, 2, 3]
AGE = text("""
    update referrals set clock_started_at = clock_started_at - interval '1 hour',
        escalate_at = escalate_at - interval '1 hour'
    where intake_id = any(cast(:intakes as uuid[]))
""")


def nobody_acknowledges(scene: Scene) -> None:
    """Let an hour pass while the watchmen are frozen: then each climbs every rung, once and in order."""
    left = History(f"{scene.history.name}-left", scene.service.tenants(1))
    left.send([EMERGENCY] * 5)
    assert_each_routed_once(left)
    with scene.service.frozen("watchman"), scene.service.engine.begin() as connection:
        connection.execute(AGE, {"intakes": [sent.intake for sent in left.sent]})
        time.sleep(scene.seconds)
    wait_until(lambda: all(rungs(sent) == RUNGS for sent in look_at(left)), "every rung")
    time.sleep(1)  # several rounds, in which nothing more happens
    assert [rungs(sent) for sent in look_at(left)] == [RUNGS] * len(left.sent)


def look_at(history: History):
    """Read every timeline again."""
    assert [said for sent in history.sent if (said := unfaithful(sent))] == []
    return history.sent


def rungs(sent) -> list[int]:
    return [event["data"]["level"] for event in sent.events if event["type"] == "referral.escalated"]


FAULTS = (Fault("nobody acknowledges", nobody_acknowledges, short=2, around=partial(beside, names=("watchman",))),)
