"""The condition language: precedence, three-valued truth, and texts that are refused."""

import itertools

import pytest

from shared.clinical.fields import Field
from shared.clinical.logic.conditions import ConditionError, Vocabulary, compile_condition
from shared.clinical.logic.truth import Evaluation


def question(name, **settings):
    values = {"present": "Yes", "absent": "No", "unknown": "Not known"}
    usual = {"section": "symptoms", "kind": "question", "type": "tri", "values": values}
    return Field(name=name, label=name, help=name, **{**usual, **settings})


FIELDS = {
    **{name: question(name) for name in "abc"},
    "sign": question("sign", kind="finding", section="examination"),
    "reflex": question("reflex", kind="finding", type="choice", values={"absent": "", "normal": "", "not_tested": ""}),
    "factor": question("factor", type="choice", values={"pain": "", "unsure": ""}, unanswered=frozenset({"unsure"})),
    "days": question("days", type="number", values={}, minimum=0, maximum=100),
    "heat": question("heat", kind="finding", type="number", values={}, minimum=25, maximum=45),
}
WORDS = Vocabulary(FIELDS, {"KNOWN", "OPEN"}, {"XE1", "XE2"})
NAMED = {"KNOWN": "a = present", "OPEN": "b = present", "XE1": "a = present", "XE2": "b = present"}
ANSWER = {True: "present", False: "absent", None: "unknown"}


def truth(text, **answers):
    named = {name: compile_condition(each, WORDS) for name, each in NAMED.items()}
    return compile_condition(text, WORDS).truth(Evaluation(answers, (), named))


def because(text, **answers):
    named = {name: compile_condition(each, WORDS) for name, each in NAMED.items()}
    return Evaluation(answers, (), named).because_of(compile_condition(text, WORDS))


def kleene_and(*parts):
    return False if False in parts else None if None in parts else True


def kleene_or(*parts):
    return True if True in parts else None if None in parts else False


@pytest.mark.parametrize(("a", "b", "c"), list(itertools.product([True, False, None], repeat=3)))
def test_and_or_not_are_kleenes(a, b, c):
    answers = {"a": ANSWER[a], "b": ANSWER[b], "c": ANSWER[c]}
    assert truth("a = present AND b = present AND c = present", **answers) is kleene_and(a, b, c)
    assert truth("a = present OR b = present OR c = present", **answers) is kleene_or(a, b, c)
    assert truth("a = present OR b = present AND c = present", **answers) is kleene_or(a, kleene_and(b, c))
    assert truth("(a = present OR b = present) AND c = present", **answers) is kleene_and(kleene_or(a, b), c)
    assert truth("NOT a = present OR b = present", **answers) is kleene_or(None if a is None else not a, b)
    assert truth("NOT (a = present OR b = present)", **answers) is (
        None if kleene_or(a, b) is None else not kleene_or(a, b)
    )


@pytest.mark.parametrize(("a", "certain", "possible"), [(True, True, True), (None, False, True), (False, False, False)])
def test_certain_and_possible(a, certain, possible):
    assert truth("CERTAIN(a = present)", a=ANSWER[a]) is certain
    assert truth("POSSIBLE(a = present)", a=ANSWER[a]) is possible
    assert truth("NOT CERTAIN(a = present)", a=ANSWER[a]) is not certain


# condition, answers, truth, why
COMPARISONS = [
    ("a = present", {}, None, "a question that was not asked"),
    ("a = present", {"a": "unknown"}, None, "a question nobody can answer"),
    ("a in {absent, present}", {"a": "unknown"}, None, "also in a list of all answers"),
    ("sign = present", {}, False, "a finding that was not tested"),
    ("sign = present", {"sign": "unknown"}, None, "a yes-or-no finding nobody can say"),
    ("NOT sign = present", {}, True, "the opposite of not tested"),
    ("reflex = absent", {"reflex": "not_tested"}, False, "not tested"),
    ("reflex = absent", {"reflex": "unknown"}, False, "unknown in another finding is not tested"),
    ("NOT reflex = normal", {}, True, "no reflex known"),
    ("factor = pain", {"factor": "unsure"}, None, "unsure is unanswered"),
    ("days <= 14", {}, None, "a number that was not asked"),
    ("days <= 14", {"days": 14}, True, "the limit"),
    ("days < 14", {"days": 14.0}, False, "the limit"),
    ("days >= 14.5", {"days": 14.5}, True, "decimals"),
    ("NOT days > 14", {"days": 15}, False, "NOT binds the comparison"),
    ("heat >= 38.0", {}, False, "a value that was not measured"),
    ("KNOWN AND OPEN", {"a": "present"}, None, "facts by name"),
    ("FIRED(XE1)", {"a": "present"}, True, "a certain rule"),
    ("FIRED(XE2)", {}, False, "a possible rule has not fired"),
    ("NOT FIRED(XE2)", {}, True, "an exclusion holds only when the rule has fired"),
    ("always", {}, True, "always"),
]


@pytest.mark.parametrize(("text", "answers", "expected", "why"), COMPARISONS, ids=[row[3] for row in COMPARISONS])
def test_what_an_answer_means(text, answers, expected, why):
    assert truth(text, **answers) is expected, why


# condition, answers, fields that settled it
REASONS = [
    ("a = present AND b = absent", {"a": "present", "b": "absent"}, {"a": "present", "b": "absent"}),
    ("a = present OR b = present", {"a": "present", "b": "absent"}, {"a": "present"}),
    ("a = present OR b = present", {"a": "absent"}, {"b": "not_asked"}),  # what leaves it not known
    ("a = present AND b = present", {"a": "present", "b": "unknown"}, {"b": "unknown"}),
    ("NOT (a = present OR b = present)", {"a": "absent", "b": "absent"}, {"a": "absent", "b": "absent"}),
    ("POSSIBLE(a = present) AND days <= 14", {"days": 3}, {"a": "not_asked", "days": 3}),
    ("KNOWN AND NOT FIRED(XE2)", {"a": "present"}, {"a": "present"}),
    ("FIRED(XE1)", {"a": "present"}, {"a": "present"}),
    ("NOT reflex = normal AND a = present", {"a": "present"}, {"a": "present"}),  # not tested is no answer
    ("days <= 14 OR factor = pain", {"factor": "unsure"}, {"days": "not_asked", "factor": "unsure"}),
]


@pytest.mark.parametrize(("text", "answers", "fields"), REASONS, ids=[row[0] for row in REASONS])
def test_it_tells_the_answers_that_counted(text, answers, fields):
    assert because(text, **answers) == {FIELDS[name].path: answer for name, answer in fields.items()}


# text, faults
REFUSED = [
    ("", ["cannot be read"]),
    ("a", ["cannot be read"]),
    ("a = ", ["cannot be read"]),
    ("a == present", ["cannot be read"]),
    ("a in {}", ["cannot be read"]),
    ("a = present AND", ["cannot be read"]),
    ("a = present b = present", ["cannot be read"]),
    ("NOT", ["cannot be read"]),
    ("FIRED(a)", ["cannot be read"]),
    ("__import__('os')", ["cannot be read"]),
    ("fever = present", ["no field is named fever"]),
    ("a = maybe", ["a has no answer maybe"]),
    ("a = unknown", ["a has no answer unknown"]),
    ("reflex = not_tested", ["reflex has no answer not_tested"]),
    ("factor = unsure", ["factor has no answer unsure"]),
    ("a >= 3", ["a is no number"]),
    ("days = three", ["days has no answer three"]),
    ("NOBODY", ["no fact is named NOBODY"]),
    ("FIRED(XE9)", ["no rule is named XE9"]),
    (
        "fever = yes AND (NOBODY OR a = maybe)",
        ["no field is named fever", "no fact is named NOBODY", "a has no answer maybe"],
    ),
]


@pytest.mark.parametrize(("text", "faults"), REFUSED, ids=[row[0] or "empty" for row in REFUSED])
def test_what_is_no_condition_is_refused_with_every_fault(text, faults):
    with pytest.raises(ConditionError) as refused:
        compile_condition(text, WORDS)
    told = refused.value.faults
    assert [fault[: len(expected)] for fault, expected in zip(told, faults, strict=True)] == faults


def test_a_fact_is_worked_out_once_for_a_form():
    condition = compile_condition("KNOWN AND OPEN AND NOT KNOWN", WORDS)
    form = Evaluation({}, (), {name: compile_condition(each, WORDS) for name, each in NAMED.items()})
    condition.truth(form)
    assert form.truths == {"KNOWN": None, "OPEN": None}
