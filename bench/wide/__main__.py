"""Runs the compose stack at three widths in turn; shows and keeps the table, and says where it stops and why."""

import argparse
from functools import partial

from bench.__main__ import RESULTS
from bench.machine import describe
from bench.report import as_text, write
from bench.takes import in_turn
from bench.wide.stack import Width, stack
from bench.wide.take import Take, Taker, taker
from bench.wide.verdict import explain, judge

WIDTHS = (Width(1, 1), Width(2, 2), Width(2, 4))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="bench.wide", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="takes at each width; every second round runs backwards")
    parser.add_argument("--count", type=int, default=4_000, help="forms posted for each rate")
    chosen = parser.parse_args()
    with stack() as started:
        started.widen(WIDTHS[0])
        machine = describe(started.version("postgres", "postgres"))
        machine |= {"python": started.version("api", "python"), "broker": started.version("redis", "redis-server")}
        machine |= {"takes at each width": f"{chosen.rounds}, of {chosen.count:,} forms for each rate"}
        taking = taker(started, chosen.count)
        takes = in_turn(chosen.rounds, {width: partial(_take, taking, width) for width in WIDTHS})
    rows, head = judge(takes), explain(takes)
    print(f"{head}\n\n{as_text(rows)}")
    write(RESULTS, "wide", rows, machine, head)


def _take(taking: Taker, width: Width) -> Take:
    print(width, flush=True)
    return taking.take(width)


if __name__ == "__main__":
    main()
