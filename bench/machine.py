"""Says what a run was measured on: the machine, the commit and the versions."""

import os
import platform
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psutil

from shared.platform.clock import now

PACKAGES = ("flask", "flask-smorest", "marshmallow", "granian", "celery", "sqlalchemy", "psycopg", "orjson")
GIGABYTE = 2**30


def describe(postgres: str) -> dict[str, str]:
    """Return the facts by name; `postgres` is the version of the server that is measured."""
    return {
        "taken at": now().isoformat(timespec="seconds"),
        "commit": _commit(),
        "processor": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{psutil.virtual_memory().total / GIGABYTE:.0f} GB",
        "busy with other things before": f"{psutil.cpu_percent(interval=1):.0f} % of all processors",
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgresql": postgres,
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def _commit() -> str:
    commit = said(["git", "rev-parse", "--short=12", "HEAD"])
    return f"{commit} with changes" if said(["git", "status", "--porcelain", "services", "shared"]) else commit


def _processor() -> str:
    return next(_models(), platform.machine())


def _models() -> Iterator[str]:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            yield value.strip()


def said(command: list[str]) -> str:
    """Return what a command prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - commands from this package
    return done.stdout.strip()
