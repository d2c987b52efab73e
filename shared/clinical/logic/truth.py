"""Three-valued truth over one form: true, false, or None for "not known" (Kleene)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.clinical.fields import Answer

Truth = bool | None
Fields = dict[str, Answer]  # the path of a field, and the answer that counted


@dataclass(slots=True)
class Evaluation:
    """One form under evaluation. It remembers what is settled, so each fact and rule is worked out once."""

    answers: Mapping[str, Answer]
    phrases: tuple[str, ...]
    conditions: Mapping[str, "Condition"]
    truths: dict[str, Truth] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict)  # what is worked out once besides, such as the points

    def truth(self, name: str) -> Truth:
        """Return the truth of a fact or rule by its name."""
        truths = self.truths
        if name not in truths:
            truths[name] = self.conditions[name].truth(self)
        return truths[name]

    def because_of(self, condition: "Condition") -> Fields:
        """Return the fields that settled a condition; of one that is not known, the unanswered fields."""
        found: Fields = {}
        condition.support(self, found)
        return found


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the answer to one field settles: the truth of each answer in `table`, and of every other."""

    field: str
    table: Mapping[Answer | None, Truth]
    otherwise: Truth

    def truth(self, form: Evaluation) -> Truth:
        """Return the truth for the answer that the form has."""
        return self.table.get(form.answers.get(self.field), self.otherwise)

    def read_as(self, reading: Callable[[Truth], Truth]) -> "Lookup":
        """Return the same with each truth read in another way."""
        table = {answer: reading(known) for answer, known in self.table.items()}
        return Lookup(self.field, table, reading(self.otherwise))


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is true, false or not known of a form.

    `support` adds to a dictionary the fields that make it what it is: of a true one, what made it true; of one that is
    not known, what is unanswered. `names` are the facts and rules it asks for; `mentions` are the fields and facts in
    its words, without what only another rule's firing depends on. `lookup` is there where one answer settles it;
    it is false where one of the lookups `needed` is.
    """

    truth: Callable[[Evaluation], Truth]
    support: Callable[[Evaluation, Fields], None]
    names: frozenset[str] = frozenset()
    text: str = ""
    lookup: Lookup | None = None
    mentions: frozenset[str] = frozenset()
    needed: tuple[Lookup, ...] = ()


def all_of(parts: list[Condition]) -> Condition:
    """Join with AND: false if any part is false, otherwise not known if any part is not known."""
    return _joined(parts, decisive=False)


def any_of(parts: list[Condition]) -> Condition:
    """Join with OR: true if any part is true, otherwise not known if any part is not known."""
    return _joined(parts, decisive=True)


def _joined(parts: list[Condition], *, decisive: bool) -> Condition:
    if len(parts) == 1:
        return parts[0]  # the grammar has one of each around every part
    lookups = tuple((part.lookup.field, part.lookup.table.get, part.lookup.otherwise) for part in parts if part.lookup)
    truths = tuple(part.truth for part in parts if not part.lookup)
    otherwise = not decisive

    def truth(form: Evaluation) -> Truth:
        result: Truth = otherwise
        answers = form.answers
        # First what is cheap, and without a call for each: this loop is half of the time that a decision takes.
        for asked, look_up, silent in lookups:
            known = look_up(answers.get(asked), silent)
            if known is decisive:
                return decisive
            if known is None:
                result = None
        for part in truths:
            known = part(form)
            if known is decisive:
                return decisive
            if known is None:
                result = None
        return result

    def support(form: Evaluation, found: Fields) -> None:
        settled = truth(form)
        for part in parts:
            if part.truth(form) is settled:
                part.support(form, found)

    needed = () if decisive else tuple(part.lookup for part in parts if part.lookup)
    mentions = frozenset().union(*(part.mentions for part in parts))
    return Condition(truth, support, _names(parts), mentions=mentions, needed=needed)


def negation(part: Condition) -> Condition:
    """Turn true into false and false into true; not known stays."""
    return _read(part, lambda known: None if known is None else not known)


def certain(part: Condition) -> Condition:
    """Read "not known" as false."""
    return _read(part, lambda known: known is True)


def possible(part: Condition) -> Condition:
    """Read "not known" as true."""
    return _read(part, lambda known: known is not False)


def _read(part: Condition, reading: Callable[[Truth], Truth]) -> Condition:
    if part.lookup:
        lookup = part.lookup.read_as(reading)
        return Condition(lookup.truth, part.support, part.names, lookup=lookup, mentions=part.mentions)
    inner = part.truth
    return Condition(lambda form: reading(inner(form)), part.support, part.names, mentions=part.mentions)


def named(name: str, lookup: Lookup | None = None) -> Condition:
    """Ask for a fact by its name; `lookup` is what settles it, if one answer does."""

    def truth(form: Evaluation) -> Truth:
        truths = form.truths
        return truths[name] if name in truths else form.truth(name)

    def support(form: Evaluation, found: Fields) -> None:
        form.conditions[name].support(form, found)

    own = frozenset([name])
    return Condition(lookup.truth if lookup else truth, support, own, lookup=lookup, mentions=own)


def fired(rule: str) -> Condition:
    """Ask whether a rule is certain. One that did not fire names no fields: an exclusion is no answer."""
    asked = named(rule)

    def support(form: Evaluation, found: Fields) -> None:
        if asked.truth(form) is True:
            asked.support(form, found)

    return Condition(lambda form: asked.truth(form) is True, support, asked.names)


def always() -> Condition:
    """Return what is true of every form."""
    return Condition(lambda _form: True, lambda _form, _found: None)


def _names(parts: list[Condition]) -> frozenset[str]:
    return frozenset().union(*(part.names for part in parts))
