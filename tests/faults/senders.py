"""Senders that come all at once, again and again, with the same key, or with nothing but red flags."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.cases import case_for
from tests.driver.client import Answer
from tests.driver.forms import form_of
from tests.driver.load import SENDERS, History, at_once
from tests.driver.verdict import assert_each_routed_once

from .fault import Fault, Scene

POLLERS = 20
RED = case_for("urgent")
CALM = case_for("clinical_review")


def one_key_many_times(scene: Scene) -> None:
    """Post one form under one key many times at once, then another form under the same key."""
    for _ in range(int(scene.pace.of(3, 30))):
        sent = scene.history.add(RED)
        at_once([sent] * SENDERS)
        answered = [answer for answer in sent.answers if isinstance(answer, Answer) and answer.status in (200, 202)]
        assert {answer.body["id"] for answer in answered} == {sent.intake}
        other = sent.tenant.hospital.post_intake(form_of(CALM, sent.mrn), idempotency_key=sent.key)
        assert other.status == 422
        time.sleep(0.3)


def herd_of_retries(scene: Scene) -> None:
    """While the database restarts everybody is turned away; then all come back at once, and once more."""
    scene.service.kill("postgres")
    herd = scene.history.send([RED, CALM] * int(scene.pace.of(50, 1000)))
    scene.service.wait_until_ready()
    for _ in range(2):
        at_once(herd)


def bulk_import(scene: Scene) -> None:
    """Another facility sends what it has, as fast as it can: singly, and then in batches."""
    bulk = History(f"{scene.history.name}-import", scene.service.tenants(10))
    count = int(scene.pace.of(200, 10_000)) // 2
    bulk.send([CALM] * count)
    bulk.send_in_batches([CALM] * count)
    assert_each_routed_once(bulk)


def backlog(scene: Scene) -> None:
    """Routine forms pile up while their worker is stopped; red flags, which nobody labelled, come in between."""
    with scene.service.frozen("routine"):
        scene.history.send_in_batches([CALM] * int(scene.pace.of(250, 20_000)))
        reds = scene.history.send([RED] * 20)
    assert {sent.outcome for sent in reds} == {"ok"}


def many_poll(scene: Scene) -> None:
    """Every one of many departments asks for its worklist again as soon as it has it."""
    (tenant,) = scene.service.tenants(1)
    over = threading.Event()

    def poll(_: int) -> None:
        while not over.is_set():
            tenant.department.get("/v1/queues/urgent/referrals")

    with ThreadPoolExecutor(POLLERS) as pollers:
        polls = pollers.map(poll, range(POLLERS))
        time.sleep(scene.seconds)
        over.set()
    list(polls)


def nothing(scene: Scene) -> None:
    time.sleep(scene.seconds)


FAULTS = (
    Fault("nothing breaks", nothing, short=1.5),
    Fault("red flags alone", nothing, short=1.5, queues=("urgent",)),
    Fault("100 a second", nothing, short=1.5, stated=3, rate=100, crowded=True),
    Fault("one key, 64 at once", one_key_many_times, short=1.5),
    Fault("20 clients polling", many_poll, short=1.5),
    Fault("bulk import beside", bulk_import, short=1.5),
    Fault("routine backlog", backlog, short=5),
    Fault("herd of retries", herd_of_retries, short=5, away=True, red_flags=10),
)
