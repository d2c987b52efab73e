"""triage(form, protocol): every rule is decided, nothing is guessed, and the answer carries its reasons (part 4)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from shared.clinical.decision import Decision, Undetermined
from shared.clinical.form import Form, as_read
from shared.clinical.imaging import Plan, Wish, plan
from shared.clinical.logic.truth import Evaluation
from shared.clinical.protocol import Protocol
from shared.clinical.referral.lifecycle import Priority, Queue
from shared.clinical.rules import Floor, ImagingStatus, Reason, Result, Route, Rule

__all__ = ["Decision", "Lane", "Place", "place", "screen", "triage"]

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
    teams: tuple[str, ...]
    floors: tuple[str, ...] = ()
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
        mentioned=_mentioned(form, evaluation, protocol) if form.mentioned else (),
        ambulance=bool(outcome.flags) and protocol.targets.calls_ambulance([each.rule for each in outcome.reasons]),
        contact_minutes=protocol.targets.classes[outcome.priority].minutes_to_contact(
            outcome.flags, outcome.floors, outcome.pattern
        ),
        teams=outcome.teams,
        evidence_lines=tuple(protocol.evidence.counted(evaluation)),
        reasons=outcome.reasons,
        undetermined=tuple(_undetermined(evaluation, protocol)),
        protocol=protocol.identity,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form goes, without the reasons."""

    queue: Queue
    priority: Priority
    pattern: str


def place(form: Form, protocol: Protocol) -> Place:
    """Return queue, priority and pattern of what `triage` decides, at a fraction of the cost."""
    evaluation = _evaluation(form, protocol)
    fired = _fired(evaluation, protocol)
    if fired:
        return Place("urgent", _highest(fired), "red_flag")
    route = _route(evaluation, protocol)
    return Place(route.queue, _lifted(route, _floors(evaluation, protocol)), route.pattern)


def screen(form: Form, protocol: Protocol) -> Lane:
    """Return the lane of an intake: `priority` if its decision stands in the urgent queue, else `routine`."""
    evaluation = _evaluation(form, protocol)
    urgent = any(evaluation.truth(rule.id) is True for rule in protocol.by_owner)
    return "priority" if urgent else "routine"


def _evaluation(form: Form, protocol: Protocol) -> Evaluation:
    return Evaluation(as_read(form, protocol), form.phrases, protocol.conditions)


def _outcome(form: Evaluation, protocol: Protocol) -> _Outcome:
    fired = _fired(form, protocol)
    return _urgent(form, fired) if fired else _routed(form, protocol)


def _fired(form: Evaluation, protocol: Protocol) -> list[Rule]:
    """Return the fired rules in the order of owners. Most are ruled out by one answer, which needs no call."""
    answer_of, truths = form.answers.get, form.truths
    fired = []
    for rule, name, truth, needed in protocol.quick_rules:
        if name not in truths:
            for asked, look_up, otherwise in needed:
                if look_up(answer_of(asked), otherwise) is False:
                    truths[name] = False
                    break
            else:
                truths[name] = truth(form)
        if truths[name] is True:
            fired.append(rule)
    return fired


def _urgent(form: Evaluation, fired: list[Rule]) -> _Outcome:
    """Join all fired rules: the highest priority, the union of imaging, one owner (steps 8 and 11)."""
    held = any(rule.if_no_imaging == "hold_for_review" for rule in fired)
    return _Outcome(
        owner=fired[0],
        queue="urgent",
        priority=_highest(fired),
        pattern="red_flag",
        wishes=tuple(wish for rule in fired for wish in _wishes(rule, form)),
        if_no_imaging="hold_for_review" if held else "not_indicated",
        reasons=tuple(rule.reason(form, rule.flag) for rule in fired),
        teams=_teams(fired),
        flags=tuple(sorted({rule.flag for rule in fired})),
    )


def _routed(form: Evaluation, protocol: Protocol) -> _Outcome:
    """Follow the first certain route, then lift a routine result by the floors (step 12)."""
    route, floors = _route(form, protocol), _floors(form, protocol)
    priority = _lifted(route, floors)
    return _Outcome(
        owner=route,
        queue=route.queue,
        priority=priority,
        pattern=route.pattern,
        wishes=tuple(_in_time(wish, priority, protocol) for wish in _wishes(route, form)),
        if_no_imaging=route.if_no_imaging,
        reasons=(_reason(route, form, protocol), *(each.reason(form) for each in floors)),
        teams=(route.send_to,) if route.send_to else (),
        floors=tuple(each.id for each in floors),
    )


def _highest(fired: list[Rule]) -> Priority:
    return "emergency" if any(rule.priority == "emergency" for rule in fired) else "urgent"


def _route(form: Evaluation, protocol: Protocol) -> Route:
    return next(each for each in protocol.routes if each.condition.truth(form) is True)


def _floors(form: Evaluation, protocol: Protocol) -> list[Floor]:
    return [each for each in protocol.floors if each.condition.truth(form) is True]


def _lifted(route: Route, floors: list[Floor]) -> Priority:
    return "prompt" if floors and route.priority == "routine" else route.priority


def _reason(route: Route, form: Evaluation, protocol: Protocol) -> Reason:
    """Return why a route was taken; the one that takes every form names all evidence that counted."""
    reason = route.reason(form)
    if not reason.because:
        for counted in protocol.evidence.counted(form):
            counted.line.condition.support(form, reason.because)
    return reason


def _teams(results: Iterable[Result]) -> tuple[str, ...]:
    """Return who is needed, the owner first; a team that another one's words name already is not named twice."""
    teams: dict[str, frozenset[str]] = {}
    for result in results:
        if result.send_to and result.send_to not in teams:
            words = _words(result.send_to)
            if not any(words <= others for others in teams.values()):
                teams[result.send_to] = words
    return tuple(teams)


@cache
def _words(team: str) -> frozenset[str]:
    return frozenset(team.replace(",", "").split())


def _mentioned(form: Form, evaluation: Evaluation, protocol: Protocol) -> tuple[str, ...]:
    said = (group for group in form.mentioned if group in protocol.phrases.boxes)  # a stored form may know others
    return tuple(sorted(group for group in said if not protocol.phrases.silenced(group, evaluation.answers)))


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
    truths = form.truths
    for rule in protocol.early:
        if (truths[rule.id] if rule.id in truths else form.truth(rule.id)) is None:
            yield Undetermined(rule.id, tuple(form.because_of(rule.condition)))
