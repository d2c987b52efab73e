"""`make soak` takes every fault, and then the random schedule and the silence that nothing else takes."""

import os
import subprocess
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOAK = "tests/faults/soak.py"


def test_soak_takes_every_fault_and_ends_in_what_only_it_takes():
    (command,) = [line for line in output("make --dry-run soak").splitlines() if "tests/faults" in line]
    listed = [line for line in output(f"{command} --collect-only --quiet").splitlines() if "::" in line]
    files = [file for file, _ in groupby(line.partition("::")[0] for line in listed)]
    assert files == [*sorted(f"tests/faults/{path.name}" for path in (ROOT / "tests/faults").glob("test_*.py")), SOAK]


def output(command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTEST"))}
    ended = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return ended.stdout
