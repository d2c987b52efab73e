"""The table: what it says of figures, baselines and targets."""

import json

from bench.report import Row, Spread, as_markdown, as_text, write
from bench.takes import histogram, in_turn, quantile

OURS = Spread.of([900.0, 1_100.0, 1_000.0], "/s")
PLAIN = Spread.of([250.0], "/s")
ROW = Row.compared("accepted", OURS, PLAIN, "plain").judged(">= 3x", met=True)


def test_a_row_shows_the_median_the_range_and_the_ratio():
    assert ROW.cells() == ("accepted", "1,000 /s (900-1,100)", "plain: 250 /s", "4.00", ">= 3x", "met")


def test_a_missed_target_is_loud():
    assert "MISSED" in as_text([Row.alone("start", PLAIN).judged("<= 5 s", met=False)])


def test_the_files_hold_every_row_and_the_machine(tmp_path):
    write(tmp_path / "results", "quick", [ROW.explained({"histogram": {"64": 3}})], {"commit": "abc"})
    content = json.loads((tmp_path / "results" / "quick.json").read_text())
    assert content["machine"] == {"commit": "abc"}
    assert content["rows"][0]["details"] == {"histogram": {"64": 3}}
    assert (tmp_path / "results" / "quick.md").read_text() == as_markdown([ROW], {"commit": "abc"})


def test_takes_alternate_and_turn_round():
    order = []

    def take(name):
        order.append(name)
        return len(order)

    takes = in_turn(2, {"a": lambda: take("a"), "b": lambda: take("b")})
    assert order == ["a", "b", "b", "a"]
    assert takes == {"a": [1, 4], "b": [2, 3]}


def test_a_quantile_is_one_of_the_values():
    values = [float(value) for value in range(1, 101)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)) == (51, 100, 100)


def test_a_histogram_counts_by_powers_of_two():
    assert histogram([1e-6, 3e-6, 3.5e-6, 0.001]) == {"2": 1, "4": 2, "1024": 1}
