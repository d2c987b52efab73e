"""What the takes say: rates beside the narrow stack's, whether anything serialises, and where it stops.

On few processors a rate cannot grow for long, so it is no evidence. What is: an intake costs no more processor time in
a wide stack than in a narrow one, and hardly any session of the database waits for another.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bench.report import Row, Spread
from bench.wide.processors import Use
from bench.wide.stack import Width
from bench.wide.take import Phase, Take
from bench.wide.waits import RUNNING, Waits

Takes = Mapping[Width, Sequence[Take]]
PARTS: dict[str, Callable[[Take], Phase]] = {
    "accepted per second, nobody triages": lambda take: take.accepting,
    "triaged per second, nobody posts": lambda take: take.draining,
    "end to end per second, both at once": lambda take: take.whole,
}
MAX_DEARER = 1.25  # more processes in the same caches cost something; standing in each other's way costs far more
MAX_WAITING = 10  # percent of the sessions at work
FULL = 0.1  # where less than this share of the processors is idle, they are what is missing
MAX_ELSE = 0.1  # where other work takes more than this share, the machine was not there to be filled
SHOWN = 0.01  # waits and roles below this share are not


def judge(takes: Takes) -> list[Row]:
    """Return the rows of the table."""
    narrow, *wider = takes
    rows = [_rate(takes, figure, width, narrow) for figure in PARTS for width in wider]
    rows += [_cost(takes, width, narrow) for width in wider]
    rows += [_waiting(width, takes[width]) for width in takes]
    return [*rows, _kept([take for each in takes.values() for take in each])]


def explain(takes: Takes) -> str:
    """Return, in words and two small tables, where it stops and why."""
    widest = list(takes)[-1]
    use, waits = _sum(take.whole.use for take in takes[widest]), _waits(takes[widest])
    return "\n\n".join([_stops(widest, use, waits), _table(takes), _limits(takes[widest]), _met(waits)])


def _rate(takes: Takes, figure: str, width: Width, narrow: Width) -> Row:
    rates = {each: Spread.of([PARTS[figure](take).per_second for take in takes[each]], "/s") for each in takes}
    return Row.compared(f"{figure}, {width}", rates[width], rates[narrow], str(narrow)).explained(
        {str(each): [_details(PARTS[figure](take)) for take in takes[each]] for each in (narrow, width)}
    )


def _details(phase: Phase) -> dict[str, Any]:
    return {
        "per second": round(phase.per_second, 1),
        "refused with 503": phase.refused,
        "commits": phase.commits,
        "seconds": round(phase.use.seconds, 2),
        "processor seconds": {role: [round(own, 3) for own in each] for role, each in phase.use.roles.items()},
        "others' processor seconds": {
            "load client": round(phase.use.client, 3),
            "docker": round(phase.use.docker, 3),
            "other work": round(phase.use.others, 3),
            "idle": round(phase.use.idle, 3),
        },
        "waits seen": dict(phase.waits.seen.most_common()),
        "looks": phase.waits.looks,
    }


def _cost(takes: Takes, width: Width, narrow: Width) -> Row:
    costs = {each: Spread.of([_milliseconds(take) for take in takes[each]], "ms") for each in (width, narrow)}
    row = Row.compared(f"processor time an intake, {width}", costs[width], costs[narrow], str(narrow))
    return row.judged(f"<= {MAX_DEARER:g}x", costs[width].median <= MAX_DEARER * costs[narrow].median)


def _milliseconds(take: Take) -> float:
    """Return what an intake costs all containers, beyond what they use at rest."""
    return take.whole.use.beyond(take.resting).service / take.whole.posted * 1e3


def _waiting(width: Width, takes: Sequence[Take]) -> Row:
    shares = Spread.of([take.whole.waits.for_others * 100 for take in takes], "%")
    row = Row.alone(f"database sessions at work that wait for another, {width}", shares)
    return row.judged(f"<= {MAX_WAITING} %", shares.median <= MAX_WAITING)


def _kept(takes: Sequence[Take]) -> Row:
    posted, found = sum(take.posted for take in takes), sum(take.found for take in takes)
    row = Row.compared("referrals in the worklists", Spread.of([found], ""), Spread.of([posted], ""), "answered 202")
    return row.judged("one each", posted == found)


def _stops(width: Width, use: Use, waits: Waits) -> str:
    cores = (use.busy + use.idle) / use.seconds
    shares = {"the service": use.service, "the load client": use.client, "Docker's proxy and engine": use.docker}
    used = ", ".join(f"{name} {seconds / use.seconds:.2f}" for name, seconds in {**shares, "else": use.others}.items())
    return (
        f"With {width}, posts and triage at once, {use.idle_share:.0%} of {cores:.1f} processors were idle. "
        f"{_why(use, waits)} "
        f"In processors: {used}. Of those that the service used: {_shares(use.by_role(), use.service)}."
    )


def _why(use: Use, waits: Waits) -> str:
    others = use.others / (use.busy + use.idle)
    if others > MAX_ELSE:
        return (
            f"**This run cannot say where it stops**: other work took {others:.0%} of the processors, so the rates and "
            "the waits for the disk are that work's as much as the service's; the costs of an intake are touched less."
        )
    if use.idle_share < FULL:
        return "**It stops where the processors are full**: more containers share them and add none."
    most = next((wait for wait in waits.shares() if wait != RUNNING), RUNNING)
    return f"**Processors are left, so something else holds it back**; the most frequent wait is {most}."


def _table(takes: Takes) -> str:
    """Return processor milliseconds an intake by role and width, and how evenly the containers of a role share."""
    widest = list(takes)[-1]
    lines = [["processor ms an intake, beyond those at rest", *map(str, takes)], ["---"] * (len(takes) + 1)]
    lines += [[role, *(_own(each, role) for each in takes.values())] for role in _costs(takes[widest]).by_role()]
    together = [f"{_costs(each).service / _posted(each) * 1e3:.2f}" for each in takes.values()]
    commits = [f"{sum(take.whole.commits for take in each) / _posted(each):.2f}" for each in takes.values()]
    lines += [["together", *together], ["commits an intake", *commits]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _own(takes: Sequence[Take], role: str) -> str:
    each = sorted(seconds / _posted(takes) * 1e3 for seconds in _costs(takes).roles[role])
    return f"{sum(each):.2f}" + (f" ({' + '.join(f'{own:.2f}' for own in each)})" if len(each) > 1 else "")


def _limits(takes: Sequence[Take]) -> str:
    """Return at which rates each role would fill one processor, at least: what it uses at rest is counted, too."""
    whole = _sum(take.whole.use for take in takes).by_role()
    rates = {role: _posted(takes) / whole[role] for role in ("watchman", "redis", "postgres", "api")}
    return (
        "On more processors the next limits would be what there is one of: the watchman, which numbers all events, "
        f"would fill one processor at {rates['watchman']:,.0f} intakes a second or later, "
        f"Redis at {rates['redis']:,.0f}. PostgreSQL, which uses many, fills one at {rates['postgres']:,.0f}, "
        f"the API at {rates['api']:,.0f}. All these count the use at rest, which weighs the more the slower a run is: "
        "they are lower bounds."
    )


def _met(waits: Waits) -> str:
    return (
        f"{waits.sessions:.1f} sessions of the database were at work at once, of which {waits.for_others:.1%} waited "
        f"for another session and {waits.for_the_disk:.1%} for the disk: {_shares(waits.seen, waits.seen.total())}."
    )


def _shares(parts: Mapping[str, float], whole: float) -> str:
    ordered = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} {part / whole:.0%}" for name, part in ordered if part / whole >= SHOWN)


def _costs(takes: Sequence[Take]) -> Use:
    """Return what the intakes cost, beyond what the containers use at rest."""
    return _sum(take.whole.use.beyond(take.resting) for take in takes)


def _sum(uses: Iterable[Use]) -> Use:
    return sum(uses, Use())


def _waits(takes: Sequence[Take]) -> Waits:
    return sum((take.whole.waits for take in takes), Waits())


def _posted(takes: Sequence[Take]) -> int:
    return sum(take.whole.posted for take in takes)
