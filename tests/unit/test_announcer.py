"""Announcing: red flags get a head start, and no broker holds anybody up."""

import threading
import time
from uuid import UUID

import pytest

from shared.platform.task_queues import delivery_wake_up, triage_wake_up
from shared.platform.wake_ups import announcer as announce
from shared.platform.wake_ups.announcer import PRIORITY_WAKE_UP, Announcer, PublishError

TIMEOUT_SECONDS = 10  # seconds; far longer than anything here takes


class Publishing(Announcer):
    """Publishes into a list, once it may."""

    def __init__(self):
        super().__init__(self.record)
        self.begun, self.may = threading.Event(), threading.Event()
        self.published = []

    def record(self, _queue, wake_ups):
        self.begun.set()
        self.may.wait(TIMEOUT_SECONDS)
        self.published += wake_ups


def test_red_flags_are_published_when_it_returns(monkeypatch):
    monkeypatch.setattr(announce, "HEAD_START_SECONDS", TIMEOUT_SECONDS)
    announcer = Publishing()
    announcer.may.set()
    for _ in range(3):
        announcer.announce(PRIORITY_WAKE_UP)
        assert announcer.published.pop() == PRIORITY_WAKE_UP


@pytest.mark.parametrize("wake_up", [PRIORITY_WAKE_UP, triage_wake_up("routine")])
def test_it_returns_while_the_broker_holds_the_thread(wake_up):
    announcer = Publishing()
    for _ in range(3):
        announcer.announce(wake_up)
    assert announcer.published == []
    announcer.may.set()


def test_what_is_not_urgent_waits_for_no_thread(monkeypatch):
    monkeypatch.setattr(announce, "HEAD_START_SECONDS", None)  # for ever
    announcer = Publishing()
    announcer.announce(triage_wake_up("routine"))
    announcer.may.set()


def test_red_flags_wait_for_no_rest_but_their_own(monkeypatch):
    monkeypatch.setattr(announce, "REST_SECONDS", 6 * TIMEOUT_SECONDS)
    monkeypatch.setattr(announce, "HEAD_START_SECONDS", TIMEOUT_SECONDS)
    announcer = Publishing()
    announcer.may.set()
    announcer.announce(triage_wake_up("routine"))
    while not announcer.published:
        time.sleep(0.01)
    announcer.announce(PRIORITY_WAKE_UP)
    assert announcer.published == [triage_wake_up("routine"), PRIORITY_WAKE_UP]
    announcer.announce(triage_wake_up("routine"))
    time.sleep(0.1)
    assert announcer.published == [triage_wake_up("routine"), PRIORITY_WAKE_UP], "it leaves with what comes meanwhile"


def test_red_flags_leave_first():
    announcer = Publishing()
    announcer.announce(triage_wake_up("routine"))
    assert announcer.begun.wait(TIMEOUT_SECONDS)  # so it holds the thread
    others = [delivery_wake_up(UUID(int=number), "neurology") for number in range(3)]
    for wake_up in (*others, PRIORITY_WAKE_UP):
        announcer.announce(wake_up)
    announcer.may.set()
    while len(announcer.published) < 5:
        time.sleep(0.01)
    assert announcer.published[:2] == [triage_wake_up("routine"), PRIORITY_WAKE_UP]


def test_whoever_waits_goes_on_when_publishing_fails(monkeypatch):
    class Failing(Publishing):
        def record(self, *_):
            raise PublishError("ConnectionError")

    monkeypatch.setattr(announce, "HEAD_START_SECONDS", None)
    Failing().announce(PRIORITY_WAKE_UP)
