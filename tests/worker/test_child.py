"""A child answers line for line, and every way in which it can fail ends in ChildError and a fresh child."""

import signal
import sys
from contextlib import contextmanager

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from services.worker.child import Child, ChildError

ECHO = """
import os, sys, time
print("ready", flush=True)
for line in sys.stdin:
    match line.strip():
        case "die": os._exit(1)
        case "hang": time.sleep(60)
        case "slow": time.sleep(0.5); print("SLOW", flush=True)
        case "long": print("x" * 200_000, flush=True)
        case "pid": print(os.getpid(), flush=True)
        case other: print(other.upper(), flush=True)
"""


@pytest.fixture
def child():
    with Child((sys.executable, "-c", ECHO)) as child:
        yield child


@contextmanager
def cut_off_after(seconds):
    """Interrupt the block as Celery does when a task's time is up."""

    def cut_off(*_):
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGALRM, cut_off)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


def test_answers_in_order(child):
    assert [child.ask(word, seconds=5) for word in (b"left", b"right")] == [b"LEFT", b"RIGHT"]


def test_reads_an_answer_longer_than_a_pipe_holds(child):
    assert child.ask(b"long", seconds=5) == b"x" * 200_000


def test_keeps_its_process_between_questions(child):
    assert child.ask(b"pid", seconds=5) == child.ask(b"pid", seconds=5)


@pytest.mark.parametrize(("question", "reason"), [(b"die", "it died"), (b"hang", "it answered too late")])
def test_a_failure_is_named_and_the_next_question_gets_a_new_process(child, question, reason):
    before = child.ask(b"pid", seconds=5)
    with pytest.raises(ChildError, match=reason):
        child.ask(question, seconds=0.5)
    assert child.ask(b"pid", seconds=5) != before


def test_who_is_interrupted_leaves_no_answer_to_the_next_question(child):
    child.start()
    with pytest.raises(SoftTimeLimitExceeded), cut_off_after(0.2):
        child.ask(b"slow", seconds=5)
    assert child.ask(b"left", seconds=5) == b"LEFT"


def test_a_child_that_died_while_nobody_asked_is_replaced_unnoticed(child):
    child.start()
    child._process.kill()  # noqa: SLF001 - what the kernel may do at any time
    child._process.wait()  # noqa: SLF001
    assert child.ask(b"left", seconds=5) == b"LEFT"


def test_a_child_that_cannot_start_says_so_each_time():
    with Child((sys.executable, "-c", "")) as child:
        for _ in range(2):
            with pytest.raises(ChildError, match="could not start"):
                child.start()
