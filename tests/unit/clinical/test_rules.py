"""Every red-flag rule fires, is ruled out and stays open where the specification says so."""

import pytest

from shared.protocols import active
from tests.unit.clinical.calm import decide, reason_ids
from tests.unit.clinical.rule_cases import EDGES, ROWS


def is_open(decision, rule):
    return rule in [each.rule for each in decision.undetermined]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_it_fires(row):
    decision = decide(**row.fires)
    assert row.rule in reason_ids(decision)
    assert active().rules[row.rule].flag in decision.red_flags
    assert decision.queue == "urgent"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_it_is_ruled_out(row):
    decision = decide(**row.ruled_out)
    assert row.rule not in reason_ids(decision)
    assert not is_open(decision, row.rule)


@pytest.mark.parametrize("row", [row for row in ROWS if row.undetermined], ids=lambda row: row.rule)
def test_it_stays_open_and_says_what_is_missing(row):
    decision = decide(**row.undetermined)
    assert row.rule not in reason_ids(decision)
    assert [list(each.missing) for each in decision.undetermined if each.rule == row.rule] == [row.missing]


@pytest.mark.parametrize(("rule", "answers", "fires"), EDGES, ids=[f"{n}-{edge[0]}" for n, edge in enumerate(EDGES)])
def test_its_edges(rule, answers, fires):
    assert (rule in reason_ids(decide(**answers))) is fires


def test_the_table_has_every_rule_once():
    assert [row.rule for row in ROWS] == list(active().rules)


@pytest.mark.parametrize("rule", active().rules.values(), ids=lambda rule: rule.id)
def test_it_has_an_origin_a_source_and_words(rule):
    assert rule.origin == ("seed" if rule.id.startswith("SE") else "extension")
    assert rule.citation
    assert rule.headline
    assert rule.why.endswith(".")


def test_there_are_thirty_six_rules_and_two_late_ones():
    rules = active().rules.values()
    assert len([rule for rule in rules if not rule.late]) == 36
    assert [rule.id for rule in rules if rule.late] == ["XU11", "XU12"]
    assert [rule.id for rule in rules if rule.origin == "seed"] == ["SE1", "SE2", "SE3"]
