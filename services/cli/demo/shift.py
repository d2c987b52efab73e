"""A shift for the demo: when each of its cases came, and what people have done with it since.

The clocks of the demo's own new cases are set back in their rows. Their events stay as they are, because events are
only ever added: a timeline says when the demo ran.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.store.event_log.events import append_events

OKAFOR, HAILE, LINDQVIST = "Dr A. Okafor", "Nurse M. Haile", "Dr S. Lindqvist"


@dataclass(frozen=True, slots=True)
class Step:
    """An action of the API by a person, with the words that go with it."""

    action: str
    by: str
    words: dict[str, object]


def taken(by: str, *then: Step) -> tuple[Step, ...]:
    """Return the steps of a case that a person acknowledged."""
    return (Step("acknowledge", by, {}), *then)


# By case of the protocol: how many minutes ago its form came, and what happened to it.
SHIFT: dict[str, tuple[int, tuple[Step, ...]]] = {
    "V01": (4, ()),
    "V03": (6, ()),
    "V04": (13, ()),
    "V11": (8, taken(OKAFOR)),
    "V42": (22, ()),
    "V44": (33, taken(HAILE)),
    "V26": (310, taken(OKAFOR)),
    "V38": (2, ()),
    "V52": (41, taken(HAILE)),
    "V27": (48, ()),
    "V35": (64, ()),
    "V31": (17, ()),
    "V47": (130, taken(LINDQVIST)),
    "V61": (205, taken(LINDQVIST, Step("complete", LINDQVIST, {"outcome": "X-ray shows arthrosis; seen next week."}))),
}
DONE: tuple[tuple[Step, ...], ...] = (  # of the cases that came earlier in the day, in turn
    taken(HAILE, Step("complete", HAILE, {"outcome": "Seen the same day; MRI booked."})),
    taken(LINDQVIST, Step("complete", LINDQVIST, {"outcome": "Examined, treated in the clinic."})),
    taken(OKAFOR),
    (Step("return", OKAFOR, {"reason": "Refer again with the imaging report.", "confirm": True}),),
    taken(OKAFOR, Step("complete", OKAFOR, {"outcome": "Admitted by the team on call."})),
    (
        Step(
            "reroute",
            LINDQVIST,
            {"queue": "clinical_review", "reason": "The history points to several causes.", "confirm": True},
        ),
    ),
    taken(HAILE, Step("complete", HAILE, {"outcome": "Advice given by telephone."})),
)
EARLIER_MINUTES = (55, 75, 95, 110, 125, 150, 160, 190, 220, 235, 260, 290, 300, 330, 365, 380, 410, 440, 455, 470)


def story(case: str, priority: str, place: int) -> tuple[int, tuple[Step, ...]]:
    """Return how many minutes ago a worked case came, and what happened to it; `place` is its place among the cases."""
    if case in SHIFT:
        return SHIFT[case]
    if priority == "emergency":
        return 4 + place % 5, taken((OKAFOR, HAILE)[place % 2])
    return 15 + place * 13 % 70, taken(LINDQVIST) if place % 3 == 0 else ()


_SET_BACK = text("""
    update referrals set created_at = created_at - back, acknowledge_by = acknowledge_by - back,
        form_received_at = form_received_at - back, contact_by = contact_by - back
    from (select cast(:minutes as int) * interval '1 minute' as back) as by
    where id = :id and created_at > now() - interval '1 minute'
    returning id, intake_id
""")
EVENT = "demo.set_back"  # no event of the service's own; the row has one because it changed after it was sealed


def set_back(session: Session, came: Iterable[tuple[UUID, int]]) -> None:
    """Set the clocks of new referrals back by so many minutes; what came longer ago than a minute stays as it is."""
    for referral_id, minutes in came:
        changed = session.execute(_SET_BACK, {"id": referral_id, "minutes": minutes})
        events = [
            {"type": EVENT, "referral_id": id_, "intake_id": intake_id, "data": {"minutes": minutes}}
            for id_, intake_id in changed
        ]
        if events:
            append_events(session, events)
