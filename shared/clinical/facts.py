"""The facts that are counted rather than stated as a condition (triage specification, part 3.4)."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from shared.clinical.evidence import TABLES, Balance, Evidence, Line
from shared.clinical.fields import NOT_ASKED, UNKNOWN, Field
from shared.clinical.logic.truth import Condition, Evaluation, Fields, Truth, named
from shared.clinical.text_check.check import TextCheck
from shared.clinical.text_check.phrases import Phrases

# Each compares points; the tables are those whose counting lines explain it.
_COMPARED: dict[str, tuple[Callable[[Balance], bool], tuple[str, ...]]] = {
    "STRAIN_BELOW_3": (lambda points: points.strain < points.threshold, ("strain",)),
    "NERVE_LEADS": (lambda points: points.nerve_leads, ("nerve", "hoover")),
    "STRAIN_LEADS": (lambda points: points.muscle_leads and points.strain > points.disuse, ("strain",)),
    "DISUSE_LEADS": (lambda points: points.muscle_leads and points.disuse >= points.strain, ("disuse",)),
    "JOINT_LEADS": (lambda points: points.joint_leads, ("joint",)),
    "NOTHING_REACHES_3": (
        lambda points: points.nothing_reaches_threshold,
        ("nerve", "hoover", "strain", "disuse", "joint"),
    ),
    "MUSCLE_OR_JOINT_AT_LEAST_3": (
        lambda points: max(points.muscle, points.joint) >= points.threshold,
        ("strain", "disuse", "joint"),
    ),
    "NERVE_WITHOUT_HOOVER_BELOW_3": (lambda points: points.nerve < points.threshold, ("nerve",)),
}
COUNTED = (*_COMPARED, "NERVE_AT_LEAST_3", "TEXT_CONFLICT", "INCOMPLETE")


def compared(evidence: Evidence) -> dict[str, Condition]:
    """Return the facts that compare points; each is true or false."""
    return {name: _comparison(name, evidence, *how) for name, how in _COMPARED.items()}


def _comparison(
    name: str, evidence: Evidence, compare: Callable[[Balance], bool], tables: tuple[str, ...]
) -> Condition:
    def support(form: Evaluation, found: Fields) -> None:
        for line in _lines(evidence, tables, form, True):
            line.condition.support(form, found)
        if not found and name == "NOTHING_REACHES_3":  # no line counts: that none does is the reason
            for line in _lines(evidence, tables, form, False):
                line.condition.support(form, found)

    mentions = _mentions(evidence, ("strain",) if name == "STRAIN_BELOW_3" else TABLES)
    return Condition(lambda form: compare(evidence.weigh(form)), support, _names(evidence), mentions=mentions)


def nerve_at_least_3(evidence: Evidence) -> Condition:
    """Return whether nerve reaches the threshold without the Hoover sign.

    It is not known when it would do so if every nerve line that is not known counted.
    """

    def truth(form: Evaluation) -> Truth:
        certain = evidence.weigh(form).nerve
        if certain >= evidence.threshold:
            return True
        unknown = sum(line.points for line in _lines(evidence, ("nerve",), form, None))
        return None if certain + unknown >= evidence.threshold else False

    def support(form: Evaluation, found: Fields) -> None:
        for line in _lines(evidence, ("nerve",), form, truth(form) or None):
            line.condition.support(form, found)

    return Condition(truth, support, _names(evidence), mentions=_mentions(evidence, ("nerve", "hoover")))


def text_conflict(phrases: Phrases | TextCheck, fields: Mapping[str, Field]) -> Condition:
    """Return whether the free text names a danger that the answers beside it do not (part 4, step 9).

    It never quotes the text, which may identify the patient; it names the groups of phrases.
    """

    def conflicting(form: Evaluation) -> list[str]:
        said = (group for group in form.phrases if group in phrases.boxes)  # a stored form may know others
        return [group for group in said if not phrases.silenced(group, form.answers)]

    def support(form: Evaluation, found: Fields) -> None:
        groups = conflicting(form)
        found["encounter.free_text"] = ", ".join(f"{group} phrase" for group in groups)
        for name in (box for group in groups for box in phrases.boxes[group]):
            found[fields[name].path] = form.answers.get(name, NOT_ASKED)

    return Condition(lambda form: bool(conflicting(form)), support)


def incomplete(first_tier: Sequence[Field], emergencies: Sequence[str], rules: Sequence[str]) -> Condition:
    """Return whether a red-flag question is unanswered or a rule not known, and no emergency has fired (step 6)."""

    urgent = frozenset(emergencies)
    says_nothing = [(asked.name, frozenset({None, UNKNOWN, *asked.unanswered})) for asked in first_tier]

    def silent(form: Evaluation) -> Iterator[Field]:
        return (asked for asked in first_tier if not asked.is_answered(form.answers.get(asked.name)))

    def truth(form: Evaluation) -> Truth:
        truths, open_rule = form.truths, False
        for rule in rules:  # without a call for each: most of them are settled
            known = truths[rule] if rule in truths else form.truth(rule)
            if known is None:
                open_rule = True
            elif known and rule in urgent:
                return False
        answers = form.answers
        return open_rule or any(answers.get(name) in nothing for name, nothing in says_nothing)

    def support(form: Evaluation, found: Fields) -> None:
        for asked in silent(form):
            found[asked.path] = form.answers.get(asked.name, NOT_ASKED)
        for rule in rules:
            if form.truth(rule) is None:
                named(rule).support(form, found)

    return Condition(truth, support, frozenset(rules))


def _lines(evidence: Evidence, tables: Sequence[str], form: Evaluation, wanted: Truth) -> Iterator[Line]:
    every = (line for table in tables for line in evidence.tables[table])
    return (line for line in every if line.condition.truth(form) is wanted)


def _mentions(evidence: Evidence, tables: Sequence[str]) -> frozenset[str]:
    lines = (line for table in tables for line in evidence.tables[table])
    return frozenset().union(*(line.condition.mentions for line in lines))


def _names(evidence: Evidence) -> frozenset[str]:
    lines = (line for table in evidence.tables.values() for line in table)
    return frozenset().union(*(line.condition.names for line in lines))
