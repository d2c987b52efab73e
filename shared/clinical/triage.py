"""triage(form, protocol): every rule is decided, nothing is guessed, and the answer carries its reasons (part 4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shared.clinical.decision import Decision, Undetermined
from shared.clinical.form import Form
from shared.clinical.imaging import Plan, Wish, plan
from shared.clinical.logic.truth import Evaluation
from shared.clinical.protocol import Protocol
from shared.clinical.referral.lifecycle import Priority, Queue
from shared.clinical.rules import ImagingStatus, Reason, Result, Rule

__all__ = ["Decision", "Lane", "screen", "triage"]

Lane = Literal["priority", "routine"]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Where the form goes before imaging is worked out; `owner` is the rule or route that speaks for it."""

    owner: Result
    queue: Queue
    priority: Priority
    pattern: str
    wishes: tuple[Wish, ...]
    if_no_imaging: ImagingStatus
    reasons: tuple[Reason, ...]
    flags: tuple[str, ...] = ()


def triage(form: Form, protocol: Protocol) -> Decision:
    """Decide about one form: the same form and protocol give the same decision, and neither is changed."""
    evaluation = _evaluation(form, protocol)
    outcome = _outcome(evaluation, protocol)
    serious = outcome.queue == "urgent"
    imaging = plan(outcome.wishes, protocol.imaging, evaluation, serious=serious, pattern=outcome.pattern)
    return Decision(
        queue=outcome.queue,
        priority=outcome.priority,
        red_flags=outcome.flags,
        pattern=outcome.pattern,
        headline=outcome.owner.headline,
        suspected=outcome.owner.suspected,
        send_to=outcome.owner.send_to,
        imaging_status=_imaging_status(outcome, imaging),
        imaging=imaging.advice,
        cautions=imaging.cautions,
        incomplete=evaluation.truth("INCOMPLETE") is True,
        evidence=protocol.evidence.weigh(evaluation).record(),
        reasons=outcome.reasons,
        undetermined=tuple(_undetermined(evaluation, protocol)),
        protocol=protocol.identity,
    )


def screen(form: Form, protocol: Protocol) -> Lane:
    """Return the lane of an intake: `priority` if its decision stands in the urgent queue, else `routine`."""
    evaluation = _evaluation(form, protocol)
    urgent = any(evaluation.truth(rule.id) is True for rule in protocol.by_owner)
    return "priority" if urgent else "routine"


def _evaluation(form: Form, protocol: Protocol) -> Evaluation:
    answers = dict(form.answers)
    if form.age_years is not None:
        answers["age_years"] = form.age_years
    return Evaluation(answers, form.phrases, protocol.conditions)


def _outcome(form: Evaluation, protocol: Protocol) -> _Outcome:
    fired = [rule for rule in protocol.by_owner if form.truth(rule.id) is True]
    return _urgent(form, fired) if fired else _routed(form, protocol)


def _urgent(form: Evaluation, fired: list[Rule]) -> _Outcome:
    """Join all fired rules: the highest priority, the union of imaging, one owner (steps 8 and 11)."""
    held = any(rule.if_no_imaging == "hold_for_review" for rule in fired)
    return _Outcome(
        owner=fired[0],
        queue="urgent",
        priority="emergency" if any(rule.priority == "emergency" for rule in fired) else "urgent",
        pattern="red_flag",
        wishes=tuple(wish for rule in fired for wish in _wishes(rule, form)),
        if_no_imaging="hold_for_review" if held else "not_indicated",
        reasons=tuple(rule.reason(form, rule.flag) for rule in fired),
        flags=tuple(sorted({rule.flag for rule in fired})),
    )


def _routed(form: Evaluation, protocol: Protocol) -> _Outcome:
    """Follow the first certain route, then lift a routine result by the floors (step 12)."""
    route = next(each for each in protocol.routes if each.condition.truth(form) is True)
    floors = [each for each in protocol.floors if each.condition.truth(form) is True]
    priority: Priority = "prompt" if floors and route.priority == "routine" else route.priority
    return _Outcome(
        owner=route,
        queue=route.queue,
        priority=priority,
        pattern=route.pattern,
        wishes=tuple(_in_time(wish, priority, protocol) for wish in _wishes(route, form)),
        if_no_imaging=route.if_no_imaging,
        reasons=tuple(each.reason(form) for each in (route, *floors)),
    )


def _wishes(result: Result, form: Evaluation) -> Iterator[Wish]:
    return (Wish(line.study, line.within, (result.id,)) for line in result.imaging if line.applies(form))


def _in_time(wish: Wish, priority: Priority, protocol: Protocol) -> Wish:
    if priority != "prompt":
        return wish
    return Wish(wish.study, protocol.imaging.prompt_times.get(wish.within, wish.within), wish.because)


def _imaging_status(outcome: _Outcome, imaging: Plan) -> ImagingStatus:
    if imaging.advice:
        return "recommended"
    return "hold_for_review" if outcome.wishes else outcome.if_no_imaging


def _undetermined(form: Evaluation, protocol: Protocol) -> Iterator[Undetermined]:
    for rule in protocol.early:
        if form.truth(rule.id) is None:
            yield Undetermined(rule.id, tuple(form.because_of(rule.condition)))
