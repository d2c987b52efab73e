"""Takes every figure, or those named, and shows and keeps the table."""

import argparse
import time
from pathlib import Path

from bench.figures.batches import batching
from bench.figures.decisions import deciding
from bench.figures.growth import growing
from bench.figures.residence import residing
from bench.figures.throughput import accepting, draining, sustaining
from bench.figures.visibility import visible
from bench.figures.width import widening
from bench.machine import describe, said
from bench.report import Row, as_text, write
from bench.scene import FULL, QUICK, scene
from shared.platform.logs import configure_logs

RESULTS = Path(__file__).parent / "results"
FIGURES = {
    "drain": draining,
    "accept": accepting,
    "batch": batching,
    "sustain": sustaining,
    "visible": visible,
    "decide": deciding,
    "grow": growing,
    "reside": residing,
    "widen": widening,
}
LONG = ("widen",)  # only in a full run, or by name


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, in under two minutes")
    parser.add_argument("figures", nargs="*", metavar="figure", help=f"only these: {', '.join(FIGURES)}")
    chosen = parser.parse_args()
    rows: list[Row] = []
    began = time.perf_counter()
    try:
        with scene(QUICK if chosen.quick else FULL) as set_scene:
            configure_logs(set_scene.settings)
            machine = describe(said([str(set_scene.servers.programs / "postgres"), "--version"]))
            for name in chosen.figures or [name for name in FIGURES if not (chosen.quick and name in LONG)]:
                print(f"{time.perf_counter() - began:4.0f} s  {name}", flush=True)
                rows += FIGURES[name](set_scene)
    finally:
        print(as_text(rows))
    if not chosen.figures:
        write(RESULTS, "quick" if chosen.quick else "full", rows, machine)


if __name__ == "__main__":
    main()
