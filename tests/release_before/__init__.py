"""The release before this one, 0.1.0, out of the repository's history: what it wrote and did has to stay possible."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMIT = "b4bc9af4d3afb26804bd4431829aae5f02461139"
HEAD = "0006"  # of its migrations
PROTOCOL = "2026.1.0"  # the version whose forms it takes


class NoHistoryError(Exception):
    """The history of the repository, or the commit in it, is not there."""


def unpack(folder: Path, repository: Path = ROOT) -> Path:
    """Put the release's files into `folder`, and return it; raises NoHistoryError."""
    archive = subprocess.run(["git", "-C", repository, "archive", COMMIT], capture_output=True, check=False)
    if archive.returncode:
        raise NoHistoryError(
            f"the release before is commit {COMMIT[:7]}, which this copy of the repository lacks: run "
            f"`git fetch --unshallow`, or clone with the whole history ({archive.stderr.decode().strip()})"
        )
    folder.mkdir(exist_ok=True)
    subprocess.run(["tar", "--extract", "--directory", folder], input=archive.stdout, check=True)
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which this interpreter runs the release's code, with the packages of today."""
    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}


def run(folder: Path, *arguments: str | Path, **more: str) -> str:
    """Run this interpreter on the release's code; return what it prints, and raise with its words when it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(folder) | more,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout
