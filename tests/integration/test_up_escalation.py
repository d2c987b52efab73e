"""An emergency that nobody acknowledges climbs the ladder at its minutes, across a kill and a restart of everything."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.referrals import RED_FLAG, Up, request, up

WATCH_SECONDS = 30
AGE = """
    update referrals
    set clock_started_at = clock_started_at - interval '10 minutes', escalate_at = escalate_at - interval '10 minutes',
        acknowledge_by = acknowledge_by - interval '10 minutes'
"""


def ten_minutes_later(home: Path) -> None:
    """Let ten minutes pass for every referral, by setting its clock back."""
    settings = json.loads((home / "running.json").read_text())["environment"]
    with psycopg.connect(settings["DATABASE_URL"]) as connection:
        connection.execute(AGE)


def climbed(running: Up, key: str, path: str, level: int) -> list[dict[str, Any]]:
    """Wait until the referral has climbed to `level`; return what its timeline then says of the rungs."""
    deadline = time.monotonic() + WATCH_SECONDS
    while request(f"{running.url}{path}", key)[1]["escalation_level"] < level and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)  # several rounds, in which nothing more happens
    assert request(f"{running.url}{path}", key)[1]["escalation_level"] == level
    events = request(f"{running.url}{path}/events", key)[1]["events"]
    return [event["data"] for event in events if event["type"] == "referral.escalated"]


def test_an_emergency_climbs_across_a_kill_and_a_restart_until_somebody_has_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as first:
        keys = first.keys()
        operator = keys["operator"]
        intake = request(f"{first.url}/v1/intakes", keys["submitter"], RED_FLAG)[1]
        path = request(f"{first.url}/v1/intakes/{intake['id']}", keys["submitter"])[1]["referral"]["links"]["self"]
        assert climbed(first, operator, path, 0) == []
        ten_minutes_later(home)
        assert [data["action"] for data in climbed(first, operator, path, 1)] == ["second_on_call"]
        os.kill(first.processes()["watchman"], signal.SIGKILL)
        ten_minutes_later(home)
        assert [data["level"] for data in climbed(first, operator, path, 2)] == [1, 2]
        ten_minutes_later(home)
        assert first.stop() == 0
    with up(home) as second:
        assert [data["level"] for data in climbed(second, operator, path, 3)] == [1, 2, 3]
        (waiting,) = request(f"{second.url}/v1/queues/urgent/referrals", operator)[1]["referrals"]
        assert (waiting["links"]["self"], waiting["overdue"]) == (path, True)
        status, held = request(f"{second.url}{path}/acknowledge", operator, {"by": "Dr A. Okafor"})
        assert (status, held["status"], held["escalation_level"]) == (200, "acknowledged", 3)
