"""Which failures time heals, and how long a delivery waits before it is tried again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.worker.delivery.retry_policy import LATER, PAUSES, asked_for, outcome_of, pause_after
from services.worker.delivery.sender import WebhookResponse
from shared.clinical.referral.lifecycle import QUEUES
from shared.store.delivery.deliveries import LeasedDelivery

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
SOME = UUID(int=1)


def claimed(*, tries=0, queue="urgent", due_for=timedelta()):
    return LeasedDelivery(SOME, SOME, SOME, queue, "https://his.example", b"", {}, tries + 1, tries, due_for, NOW, None)


@pytest.mark.parametrize(
    ("answer", "ending", "error"),
    [
        *[(WebhookResponse(5, status), "delivered", None) for status in (200, 201, 202, 204, 299)],
        *[
            (WebhookResponse(5, status), "again", f"http_{status}")
            for status in (408, 409, 425, 429, 500, 502, 503, 504, 599)
        ],
        *[
            (WebhookResponse(5, status), "parked", f"http_{status}")
            for status in (101, 300, 301, 308, 400, 401, 404, 413, 451)
        ],
        (WebhookResponse(5, 410), "gone", "gone"),
        *[
            (WebhookResponse(5, error=error), "again", error)
            for error in (
                *("name_not_resolved", "timed_out", "connect_failed"),
                *("tls_failed", "connection_lost", "no_http_answer"),
            )
        ],
        *[(WebhookResponse(5, error=error), "parked", error) for error in ("address_refused", "bad_url")],
    ],
    ids=lambda value: repr(value) if isinstance(value, WebhookResponse) else None,
)
def test_an_answer_decides(answer, ending, error):
    ended = outcome_of(claimed(), answer)
    assert (ended.ending, ended.error, ended.http_status) == (ending, error, answer.status)


def test_patience_ends_after_three_days():
    for due_for, ending in ((timedelta(days=2, hours=23), "again"), (timedelta(days=3), "parked")):
        assert outcome_of(claimed(due_for=due_for), WebhookResponse(5, 500)).ending == ending
    assert outcome_of(claimed(due_for=timedelta(days=9)), WebhookResponse(5, 200)).ending == "delivered"


def test_what_is_urgent_is_tried_again_within_seconds_and_nothing_more_seldom_than_once_a_day():
    for queue in QUEUES:
        pauses = PAUSES.get(queue, LATER)
        assert pauses[0] == (1 if queue == "urgent" else 30)
        assert list(pauses) == sorted(pauses)
        for tries in (0, len(pauses) - 1, 10_000):
            pause = pause_after(tries, queue).total_seconds()
            assert 0.8 * pauses[0] <= pause <= 1.2 * 86_400
        assert pause_after(10_000, queue) > timedelta(hours=19)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, 0),
        ("120", 120),
        (" 3 ", 3),
        ("0", 0),
        ("Wed, 25 Nov 2026 09:32:00 GMT", 120),
        ("Wed, 25 Nov 2026 09:32:00 -0000", 120),
        ("Wed, 25 Nov 2026 09:00:00 GMT", 0),
        ("9" * 400, 86_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 31 Dec 99999 23:59:59 GMT", 0),
        *[(nonsense, 0) for nonsense in ("", "soon", "-5", "1.5", "1e9", "²", "\x00", "Wed, 25 Nov")],
    ],
)
def test_retry_after_in_seconds_or_as_a_date(retry_after, seconds):
    assert asked_for(retry_after, NOW).total_seconds() == seconds


def test_whoever_asks_for_longer_gets_longer():
    assert outcome_of(claimed(), WebhookResponse(5, 429, "7200")).pause == timedelta(hours=2)
    assert outcome_of(claimed(queue="neurology"), WebhookResponse(5, 503, "1")).pause >= timedelta(seconds=24)
