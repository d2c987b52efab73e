"""A child answers line for line, and every way in which it can fail ends in SandboxError and a fresh child."""

import json
import signal
import sys
from contextlib import contextmanager

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from services.worker.triage.sandbox import Sandbox, SandboxError

pytestmark = pytest.mark.timeout(method="thread")  # the tests use the signal themselves

ECHO = """
import os, sys, time
time.sleep(float(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    number, question = line.split()
    match question:
        case "die": os._exit(1)
        case "hang": time.sleep(60)
        case "slow": time.sleep(0.5); print(number, "SLOW", flush=True)
        case "long": print(number, "x" * 200_000, flush=True)
        case "pid": print(number, os.getpid(), flush=True)
        case "chatter": print("by the way", flush=True); print(number, "CHATTER", flush=True)
        case "babble": print(number, "BABBLE\\nby the way", flush=True)
        case other: print(number, other.upper(), flush=True)
"""


def echo(*, starts_in=0.0):
    return Sandbox((sys.executable, "-c", ECHO, str(starts_in)))


@pytest.fixture
def sandbox():
    with echo() as sandbox:
        yield sandbox


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


def test_answers_in_order(sandbox):
    assert [sandbox.ask(word, seconds=5) for word in (b"left", b"right")] == [b"LEFT", b"RIGHT"]


def test_reads_an_answer_longer_than_a_pipe_holds(sandbox):
    assert sandbox.ask(b"long", seconds=5) == b"x" * 200_000


def test_keeps_its_process_between_questions(sandbox):
    assert sandbox.ask(b"pid", seconds=5) == sandbox.ask(b"pid", seconds=5)


@pytest.mark.parametrize(("question", "reason"), [(b"die", "it died"), (b"hang", "it answered too late")])
def test_a_failure_is_named_and_the_next_question_gets_a_new_process(sandbox, question, reason):
    before = sandbox.ask(b"pid", seconds=5)
    with pytest.raises(SandboxError, match=reason):
        sandbox.ask(question, seconds=0.5)
    assert sandbox.ask(b"pid", seconds=5) != before


def test_who_is_interrupted_leaves_no_answer_to_the_next_question(sandbox):
    sandbox.start()
    with pytest.raises(SoftTimeLimitExceeded), cut_off_after(0.2):
        sandbox.ask(b"slow", seconds=5)
    assert sandbox.ask(b"left", seconds=5) == b"LEFT"


def test_who_is_interrupted_while_it_starts_leaves_neither_greeting_nor_answer_to_the_next_questions():
    with echo(starts_in=0.5) as sandbox:
        with pytest.raises(SoftTimeLimitExceeded), cut_off_after(0.2):
            sandbox.ask(b"never", seconds=5)
        assert [sandbox.ask(word, seconds=5) for word in (b"left", b"right")] == [b"LEFT", b"RIGHT"]


@pytest.mark.parametrize("question", [b"chatter", b"babble"])
def test_what_it_says_unasked_is_no_answer_to_this_question_nor_to_the_next(sandbox, question):
    with pytest.raises(SandboxError, match="it answered something else"):
        sandbox.ask(question, seconds=5)
    assert sandbox.ask(b"left", seconds=5) == b"LEFT"


def test_a_child_that_died_while_nobody_asked_is_replaced_unnoticed(sandbox):
    sandbox.start()
    sandbox._process.kill()  # noqa: SLF001 - what the kernel may do at any time
    sandbox._process.wait()  # noqa: SLF001
    assert sandbox.ask(b"left", seconds=5) == b"LEFT"


def test_a_child_that_cannot_start_says_so_each_time():
    with Sandbox((sys.executable, "-c", "")) as sandbox:
        for _ in range(2):
            with pytest.raises(SandboxError, match="could not start"):
                sandbox.start()


def test_its_process_inherits_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    tell = 'import json, os; print("ready", flush=True); print(input()[:1], json.dumps(dict(os.environ)), flush=True)'
    with Sandbox((sys.executable, "-c", tell)) as sandbox:
        found = json.loads(sandbox.ask(b"environment", seconds=5))
    assert set(found) <= {"LC_CTYPE"}  # which Python itself may set
