"""Runs stand-in processes under the real subreaper and supervisor.

The first argument describes the stages as JSON: lists of `[name, script, stop phase]`; a script that begins with `/`
is a program, one that begins with `# fork` is run by a fork of the supervisor. A stand-in is ready when it has made the
file `ready-<its process id>`.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path

from services.embedded.supervisor.console import Console
from services.embedded.supervisor.service import Service
from services.embedded.supervisor.subreaper import run_under_subreaper
from services.embedded.supervisor.supervised_process import CannotStartError
from services.embedded.supervisor.supervisor import Supervisor


def command(script: str) -> list[str]:
    if script.startswith("# fork"):
        return []
    return [script] if script.startswith("/") else [sys.executable, "-S", "-c", script]


def service(name: str, script: str, phase: int) -> Service:
    return Service(
        name=name,
        command=command(script),
        environment={**os.environ, "STANDIN": name},
        run=partial(exec, script, {}),
        ready=lambda pid: Path(f"ready-{pid}").exists(),
        stop_phase=phase,
        once=script.startswith("# once"),
    )


def run() -> int:
    console = Console()
    try:
        Supervisor([[service(*each) for each in stage] for stage in json.loads(sys.argv[1])], console).run(
            lambda: console.say("all ready")
        )
    except CannotStartError as error:
        console.say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run_under_subreaper(run))
