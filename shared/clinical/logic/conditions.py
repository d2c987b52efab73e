"""The condition language: a text over named fields and facts becomes one three-valued condition."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from shared.clinical.fields import NOT_ASKED, UNKNOWN, Field
from shared.clinical.logic import comparisons, truth
from shared.clinical.logic.truth import Condition, Lookup

UNCOMPARABLE = {UNKNOWN, NOT_ASKED, "not_tested"}  # a comparison with one of these could never be true


class ConditionError(ValueError):
    """A text that is no condition over the form; `faults` names everything that is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        """Keep the faults and tell all of them."""
        self.faults = tuple(faults)
        super().__init__("; ".join(faults))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a condition may name: fields, facts and rules.

    `lookups` holds the facts compiled so far that the answer to one field settles: naming one costs no call.
    """

    fields: Mapping[str, Field]
    facts: Collection[str] = ()
    rules: Collection[str] = ()
    lookups: dict[str, Lookup] = field(default_factory=dict)


def compile_condition(text: str, vocabulary: Vocabulary) -> Condition:
    """Return the condition that `text` states; raises `ConditionError` with every fault at once."""
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput as error:
        place = " ".join(error.get_context(text).split("\n")[:1]).strip()
        raise ConditionError([f"cannot be read near `{place}`"]) from error
    builder = _Builder(vocabulary)
    condition: Condition = builder.transform(tree)
    if builder.faults:
        raise ConditionError(builder.faults)
    return replace(condition, text=" ".join(text.split()))


@cache
def _grammar() -> Lark:
    grammar = Path(__file__).with_suffix(".lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


@v_args(inline=True)
class _Builder(Transformer[Token, Condition]):
    """Builds conditions from the leaves up, noting every name that the vocabulary does not have."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._known = vocabulary
        self.faults: list[str] = []

    def any_of(self, *parts: Condition) -> Condition:
        return truth.any_of(list(parts))

    def all_of(self, *parts: Condition) -> Condition:
        return truth.all_of(list(parts))

    def negation(self, part: Condition) -> Condition:
        return truth.negation(part)

    def certain(self, part: Condition) -> Condition:
        return truth.certain(part)

    def possible(self, part: Condition) -> Condition:
        return truth.possible(part)

    def always(self) -> Condition:
        return truth.always()

    def fact(self, name: Token) -> Condition:
        self._expect(name in self._known.facts, f"no fact is named {name}")
        return truth.named(str(name), self._known.lookups.get(str(name)))

    def fired(self, name: Token) -> Condition:
        self._expect(name in self._known.rules, f"no rule is named {name}")
        return truth.fired(str(name))

    def equals(self, name: Token, value: Token) -> Condition:
        return self.among(name, value)

    def among(self, name: Token, *values: Token) -> Condition:
        asked = self._field(name)
        if asked is None:
            return truth.always()
        for value in values:
            listed = value in asked.values and value not in UNCOMPARABLE | asked.unanswered
            self._expect(listed, f"{name} has no answer {value}")
        return comparisons.among(asked, [str(value) for value in values])

    def beyond(self, name: Token, sign: Token, limit: Token) -> Condition:
        asked = self._field(name)
        if asked is None:
            return truth.always()
        self._expect(asked.type == "number", f"{name} is no number")
        return comparisons.beyond(asked, str(sign), float(limit))

    def _field(self, name: Token) -> Field | None:
        self._expect(name in self._known.fields, f"no field is named {name}")
        return self._known.fields.get(name)

    def _expect(self, right: bool, fault: str) -> None:
        if not right:
            self.faults.append(fault)
