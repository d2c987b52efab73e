"""Announcing: red flags get a head start, and no broker holds anybody up."""

import threading
import time
from uuid import UUID

import pytest

from shared import announce
from shared.announce import RED_FLAGS, Announcer
from shared.task_queues import delivery_hint, triage_hint

PATIENCE = 10  # seconds; far longer than anything here takes


class Publishing(Announcer):
    """Publishes into a list, once it may."""

    def __init__(self):
        super().__init__(producer=None)
        self.begun, self.may = threading.Event(), threading.Event()
        self.published = []

    def _publish(self, _queue, hints):
        self.begun.set()
        self.may.wait(PATIENCE)
        self.published += hints


def test_red_flags_are_published_when_it_returns(monkeypatch):
    monkeypatch.setattr(announce, "HEAD_START_SECONDS", PATIENCE)
    announcer = Publishing()
    announcer.may.set()
    for _ in range(3):
        announcer.announce(RED_FLAGS)
        assert announcer.published.pop() == RED_FLAGS


@pytest.mark.parametrize("hint", [RED_FLAGS, triage_hint("routine")])
def test_it_returns_while_the_broker_holds_the_thread(hint):
    announcer = Publishing()
    for _ in range(3):
        announcer.announce(hint)
    assert announcer.published == []
    announcer.may.set()


def test_what_is_not_urgent_waits_for_no_thread(monkeypatch):
    monkeypatch.setattr(announce, "HEAD_START_SECONDS", None)  # for ever
    announcer = Publishing()
    announcer.announce(triage_hint("routine"))
    announcer.may.set()


def test_red_flags_wait_for_no_rest_but_their_own(monkeypatch):
    monkeypatch.setattr(announce, "REST_SECONDS", 6 * PATIENCE)
    monkeypatch.setattr(announce, "HEAD_START_SECONDS", PATIENCE)
    announcer = Publishing()
    announcer.may.set()
    announcer.announce(triage_hint("routine"))
    while not announcer.published:
        time.sleep(0.01)
    announcer.announce(RED_FLAGS)
    assert announcer.published == [triage_hint("routine"), RED_FLAGS]
    announcer.announce(triage_hint("routine"))
    time.sleep(0.1)
    assert announcer.published == [triage_hint("routine"), RED_FLAGS], "it leaves with what comes meanwhile"


def test_red_flags_leave_first():
    announcer = Publishing()
    announcer.announce(triage_hint("routine"))
    assert announcer.begun.wait(PATIENCE)  # so it holds the thread
    others = [delivery_hint(UUID(int=number), "neurology") for number in range(3)]
    for hint in (*others, RED_FLAGS):
        announcer.announce(hint)
    announcer.may.set()
    while len(announcer.published) < 5:
        time.sleep(0.01)
    assert announcer.published[:2] == [triage_hint("routine"), RED_FLAGS]


def test_whoever_waits_goes_on_when_publishing_fails(monkeypatch):
    class Failing(Publishing):
        def _publish(self, *_):
            raise ConnectionError

    monkeypatch.setattr(announce, "HEAD_START_SECONDS", None)
    Failing().announce(RED_FLAGS)
