"""From wishes for studies to safe advice: union, supersession, contraindications, cautions (part 3.9)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shared.clinical.logic.truth import Condition, Evaluation


@dataclass(frozen=True, slots=True)
class Study:
    """One study of the vocabulary. `loinc` is the code that names no side, or None."""

    name: str
    text: str
    loinc: str | None


@dataclass(frozen=True, slots=True)
class Supersession:
    """`study` gives way to `to` when one of `beside` is listed; then `remove` goes too."""

    study: str
    to: str
    beside: frozenset[str]
    remove: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Step:
    """One step of the order of work; done when `when` is certain and, if `beside` is given, one of it is listed.

    `replace` names for a study what it gives way to, each with a time of its own or None. `instead` names for a study
    what stands in for it, unless that is listed already.
    """

    id: str
    when: Condition | None = None
    beside: frozenset[str] | None = None
    pattern: str | None = None
    unless_serious: bool = False
    merge: bool = False
    caution: str | None = None
    replace: Mapping[str, tuple[tuple[str, str | None], ...]] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    remove: frozenset[str] = frozenset()

    @cached_property
    def touches(self) -> frozenset[str] | None:
        """Return the studies without which the step does nothing; None where it does something without any."""
        if self.merge or self.caution:
            return self.beside
        return frozenset((*self.replace, *self.instead, *self.remove))


@dataclass(frozen=True)
class ImagingRules:
    """The vocabulary and the order of work. `times` runs from the most urgent to the least."""

    times: tuple[str, ...]
    prompt_times: Mapping[str, str]
    studies: Mapping[str, Study]
    first: frozenset[str]
    supersession: tuple[Supersession, ...]
    steps: tuple[Step, ...]
    cautions: Mapping[str, str]

    @cached_property
    def steps_without_wishes(self) -> tuple[Step, ...]:
        """Return the steps that do something where no study is asked for."""
        return tuple(step for step in self.steps if step.touches is None and not step.merge)


@dataclass(frozen=True, slots=True)
class Wish:
    """A study asked for within a time, by rules or a route; `instead_of` is what a contraindication took away."""

    study: str
    within: str
    because: tuple[str, ...]
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """A study as a decision shows it: a recommendation, never an order."""

    study: str
    within: str
    text: str
    loinc: str | None
    because: tuple[str, ...]
    instead_of: str | None = None

    def record(self) -> dict[str, Any]:
        """Return the advice as it stands in a decision."""
        return {
            "study": self.study,
            "within": self.within,
            "instead_of": self.instead_of,
            "text": self.text,
            "loinc": self.loinc,
            "because": list(self.because),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What is left of the wishes, sorted, and the cautions, sorted."""

    advice: tuple[Advice, ...]
    cautions: tuple[str, ...]


def plan(wishes: Iterable[Wish], rules: ImagingRules, form: Evaluation, *, serious: bool, pattern: str) -> Plan:
    """Work through the steps in order. `serious` is a result of priority urgent or emergency."""
    listed = _Listed(rules.times)
    for wish in wishes:
        listed.add(wish)
    cautions = set()
    for step in rules.steps if listed.wishes else rules.steps_without_wishes:
        if _is_due(step, listed, form, serious=serious, pattern=pattern):
            _work(step, listed, rules)
            cautions.add(step.caution)
    return Plan(_sorted(listed, rules), tuple(sorted(each for each in cautions if each)))


def _is_due(step: Step, listed: "_Listed", form: Evaluation, *, serious: bool, pattern: str) -> bool:
    if step.touches is not None and step.touches.isdisjoint(listed.wishes):
        return False
    if step.unless_serious and serious:
        return False
    if step.pattern is not None and step.pattern != pattern:
        return False
    return step.when is None or step.when.truth(form) is True


def _work(step: Step, listed: "_Listed", rules: ImagingRules) -> None:
    if step.merge:
        _merge(listed, rules.supersession)
    for study in sorted(step.replace):
        listed.replace(study, step.replace[study])
    for study, other in step.instead.items():
        listed.stand_in(study, other)
    listed.remove(step.remove)


def _merge(listed: "_Listed", supersession: tuple[Supersession, ...]) -> None:
    for pair in supersession:
        if pair.study in listed.wishes and not pair.beside.isdisjoint(listed.wishes):
            listed.merge(pair.study, pair.to)
            listed.remove(pair.remove)


class _Listed:
    """The list being worked on: one wish for each study, with the earlier time and everybody who asked."""

    def __init__(self, times: tuple[str, ...]) -> None:
        self.rank = {time: rank for rank, time in enumerate(times)}
        self.asked: dict[str, int] = {}  # who asked first, second, …
        self.wishes: dict[str, Wish] = {}

    def add(self, wish: Wish) -> None:
        present = self.wishes.get(wish.study, wish)
        within = min(present.within, wish.within, key=self.rank.__getitem__)
        for rule in wish.because:
            self.asked.setdefault(rule, len(self.asked))
        because = tuple(sorted({*present.because, *wish.because}, key=self.asked.__getitem__))
        instead_of = present.instead_of or wish.instead_of
        self.wishes[wish.study] = Wish(wish.study, within, because, instead_of)

    def merge(self, study: str, other: str) -> None:
        """Let a study give way to a wider one, which stands for what it stood for, and for nothing else."""
        gone = self.wishes.pop(study, None)
        if gone is not None:
            self.add(Wish(other, gone.within, gone.because, gone.instead_of))

    def replace(self, study: str, replacements: Iterable[tuple[str, str | None]]) -> None:
        gone = self.wishes.pop(study, None)
        if gone is not None:
            for other, within in replacements:
                self.add(Wish(other, within or gone.within, gone.because, gone.instead_of or study))

    def stand_in(self, study: str, other: str) -> None:
        gone = self.wishes.pop(study, None)
        if gone is not None:
            self.wishes.setdefault(other, Wish(other, gone.within, gone.because, gone.instead_of or study))

    def remove(self, studies: Iterable[str]) -> None:
        for study in studies:
            self.wishes.pop(study, None)


def _sorted(listed: _Listed, rules: ImagingRules) -> tuple[Advice, ...]:
    def order(wish: Wish) -> tuple[int, bool, str]:
        return listed.rank[wish.within], wish.study not in rules.first, wish.study

    chosen = sorted(listed.wishes.values(), key=order)
    return tuple(_advice(wish, rules.studies[wish.study]) for wish in chosen)


def _advice(wish: Wish, study: Study) -> Advice:
    return Advice(study.name, wish.within, study.text, study.loinc, wish.because, wish.instead_of)
