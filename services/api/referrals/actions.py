"""Says what each action on a referral changes and adds to the timeline; the lifecycle guard is asked first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import func

from services.api.http.problems import InvalidError, ProblemError
from shared.clinical.referral.lifecycle import (
    CONTACT_ENDINGS,
    PRIORITIES,
    Action,
    Priority,
    Status,
    TransitionRefused,
    after,
    first_rung_after,
)
from shared.clinical.referral.targets import Targets
from shared.store.referrals import StoredReferral
from shared.tables import Referral

NOT_ACKNOWLEDGED = {"acknowledged_by": None, "acknowledged_at": None}
URGENT = PRIORITIES.index("urgent")


@dataclass(frozen=True, slots=True)
class ReferralChange:
    """A change of a referral: new values of its columns, and the event that says what happened.

    `followed_by` is what happened with it, as a second event.
    """

    happened: str
    by: str
    values: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    followed_by: str | None = None

    def events(self) -> list[dict[str, Any]]:
        """Return the events in their order, without what nobody said."""
        said = {key: word for key, word in self.data.items() if word is not None}
        happened = [{"type": f"referral.{self.happened}", "by": self.by, "data": said}]
        return happened + ([{"type": f"referral.{self.followed_by}", "by": self.by}] if self.followed_by else [])


def acknowledge(referral: StoredReferral, body: Mapping[str, Any]) -> ReferralChange | None:
    """Let a named person hold the referral; nothing where that person holds it already."""
    if referral.status == "acknowledged":
        if referral.acknowledged_by == body["by"]:
            return None
        held_by = referral.acknowledged_by
        raise ProblemError(409, f"{held_by} holds this referral.", kind="held-by-another", held_by=held_by)
    held = {"acknowledged_by": body["by"], "acknowledged_at": func.now()}
    status = status_after("acknowledge", referral)
    return ReferralChange("acknowledged", body["by"], {"status": status, **held}, {"note": body["note"]})


def complete(referral: StoredReferral, body: Mapping[str, Any]) -> ReferralChange:
    """End the referral with its outcome."""
    return ReferralChange(
        "completed", body["by"], {"status": status_after("complete", referral)}, {"outcome": body["outcome"]}
    )


def reroute(referral: StoredReferral, body: Mapping[str, Any], targets: Targets) -> ReferralChange:
    """Move the referral to another queue, where nobody holds it; into `urgent` its priority rises.

    Where it rises, the ladder of the new priority begins now: counted from receipt, every rung might be due at once.
    Into `urgent` `acknowledge_by` and `contact_by` may come earlier, never later.
    A person has decided where it belongs, so no earlier version of its form has a say in it any more.
    """
    status = status_after("reroute", referral)
    if body["queue"] == referral.queue:
        raise ProblemError(
            409, f"The referral is in {referral.queue} already.", kind="same-queue", queue=referral.queue
        )
    _guard_urgent(referral, body)
    priority = min(referral.priority, URGENT) if body["queue"] == "urgent" else referral.priority
    clock = _started_clock(targets) if priority < referral.priority else {}
    times = _earlier_times(PRIORITIES[priority], targets) if body["queue"] == "urgent" else {}
    place = {"queue": body["queue"], "priority": priority, "downgrade_proposed": False}
    moved = {"status": status, **place, **clock, **times, **NOT_ACKNOWLEDGED}
    data = {"from": referral.queue, "to": body["queue"], "priority": PRIORITIES[priority], "reason": body["reason"]}
    return ReferralChange("rerouted", body["by"], moved, data)


def return_to_referrer(referral: StoredReferral, body: Mapping[str, Any]) -> ReferralChange:
    """Return the referral to the referrer, with advice."""
    status = status_after("return", referral)
    _guard_urgent(referral, body)
    return ReferralChange("returned", body["by"], {"status": status}, {"reason": body["reason"]})


def release(referral: StoredReferral, body: Mapping[str, Any]) -> ReferralChange:
    """Release the referral; its clock runs on from the start."""
    return ReferralChange(
        "released",
        body["by"],
        {"status": status_after("release", referral), **NOT_ACKNOWLEDGED},
        {"reason": body["reason"]},
    )


def contacted(referral: StoredReferral, body: Mapping[str, Any]) -> ReferralChange:
    """Note that a person spoke to the patient, or tried; the clock of the contact ends once."""
    status_after("contacted", referral)
    ends, outcome = body["outcome"] in CONTACT_ENDINGS, body["outcome"]
    if ends and referral.contacted_by is not None:
        raise ProblemError(
            409,
            f"{referral.contacted_by} has ended the contact already.",
            kind="already-contacted",
            contacted_by=referral.contacted_by,
            outcome=referral.contacted_outcome,
        )
    values = {"contacted_by": body["by"], "contacted_at": func.now(), "contacted_outcome": outcome} if ends else {}
    return ReferralChange("contacted", body["by"], values, {"outcome": outcome, "note": body["note"]})


def status_after(action: Action, referral: StoredReferral) -> Status:
    """Return the status to which `action` leads; raise ProblemError 409 with the present one where it is forbidden."""
    try:
        return after(action, cast(Status, referral.status))
    except TransitionRefused as refused:
        detail = f"Not possible while the referral is {refused.status}."
        newer: dict[str, Any] = {"superseded_by": referral.superseded_by} if referral.superseded_by else {}
        raise ProblemError(409, detail, kind="transition-forbidden", referral_status=refused.status, **newer) from None


def _started_clock(targets: Targets) -> dict[str, Any]:
    first = first_rung_after(PRIORITIES[URGENT], targets)
    escalate_at = None if first is None else func.now() + first
    return {"clock_started_at": func.now(), "escalate_at": escalate_at, "escalation_level": 0}


def _earlier_times(priority: Priority, targets: Targets) -> dict[str, Any]:
    """Return the times as they are, or counted from now for `priority`, whichever is earlier; SQL leaves out null."""
    target = targets.classes[priority]
    minutes = {"acknowledge_by": target.acknowledge_minutes, "contact_by": target.contact_minutes}
    columns = Referral.__table__.c
    return {
        name: func.least(columns[name], func.now() + timedelta(minutes=most))
        for name, most in minutes.items()
        if most is not None
    }


def take_over(referral: StoredReferral, body: Mapping[str, Any]) -> ReferralChange | None:
    """Let another person hold an acknowledged referral; nothing where that person holds it already."""
    status = status_after("take-over", referral)
    if referral.acknowledged_by == body["by"]:
        return None
    held = {"acknowledged_by": body["by"], "acknowledged_at": func.now()}
    data = {"held_by": referral.acknowledged_by, "reason": body["reason"]}
    return ReferralChange("taken_over", body["by"], {"status": status, **held}, data, followed_by="acknowledged")


def _guard_urgent(referral: StoredReferral, body: Mapping[str, Any]) -> None:
    if referral.queue != "urgent":
        return
    errors = []
    if not body["reason"]:
        errors.append(("/reason", "Leaving the urgent queue needs a reason."))
    if body["confirm"] is not True:
        errors.append(("/confirm", "Leaving the urgent queue has to be confirmed with true."))
    if errors:
        raise InvalidError(errors)
