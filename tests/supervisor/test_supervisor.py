"""The supervisor starts in order, starts again what dies, gives up on what cannot start, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.program import Program, all_gone, descendants, program

STANDINS = Path(__file__).parent / "standins.py"
READY = "import os, pathlib, signal, subprocess, sys, time; pathlib.Path(f'ready-{os.getpid()}').touch();"
STEADY = f"import os; print('pid', os.getpid(), flush=True); {READY} signal.pause()"
STUBBORN = f"{READY} signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
TALKATIVE = (
    f"{READY} [print('x' * 99, flush=True) for _ in range(20_000)]; pathlib.Path('said-it-all').touch(); time.sleep(60)"
)
PARENT = f"""import subprocess, sys
child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'], start_new_session=True)
print('child', child.pid, flush=True); {READY} signal.pause()"""
FORKED = f"# fork\n{STEADY}"
SELF = """# fork
import os, pathlib, sys
print(os.environ['STANDIN'], os.getsid(0) == os.getpid(), pathlib.Path('/proc/self/comm').read_text().strip())
print(sorted(os.listdir('/proc/self/fd')), repr(sys.stdin.read()), flush=True)
"""

Run = Callable[..., Program]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run stages of stand-ins, each given as `name=script`; a stage is a dictionary of them."""
    with ExitStack() as stack:

        def start(*stages: dict[str, str], phases: dict[str, int] | None = None) -> Program:
            listed = [[[name, script, (phases or {}).get(name, 0)] for name, script in s.items()] for s in stages]
            command = [sys.executable, STANDINS, json.dumps(listed)]
            return stack.enter_context(program(command, cwd=tmp_path))

        yield start


def test_a_stage_begins_when_the_one_before_is_ready(run: Run) -> None:
    late = f"import time; print('not yet', flush=True); time.sleep(0.5); print('now', flush=True); {STEADY}"
    running = run({"first": late}, {"second": STEADY})
    running.wait_for("all ready")
    order = [line.split()[0] + " " + line.split()[2] for line in running.said if " | " in line]
    assert order == ["first not", "first now", "first pid", "second pid"]


def test_a_step_has_to_end_well_before_what_follows(run: Run) -> None:
    running = run({"step": "# once\nimport time; time.sleep(0.3); print('taken')"}, {"after": STEADY})
    running.wait_for("all ready")
    assert [line.split()[0] for line in running.said if " | " in line] == ["step", "after"]


@pytest.mark.parametrize("script", [STEADY, FORKED], ids=["program", "fork"])
def test_what_dies_is_started_again_and_it_says_so(run: Run, script: str) -> None:
    running = run({"dying": script, "other": STEADY})
    first = running.wait_for(r"dying +\| pid (\d+)")[1]
    running.find("all ready")  # before or after
    os.kill(int(first), signal.SIGKILL)
    running.wait_for(r"dying ended \(SIGKILL\); starting it again in 0.25 s")
    assert running.wait_for(r"dying +\| pid (\d+)")[1] != first
    running.wait_for("dying is back")


def test_the_pause_grows_with_every_end(run: Run) -> None:
    running = run({"steady": STEADY})
    for ready, pause in [("all ready", "0.25"), ("is back", "0.5"), ("is back", "1")]:
        pid = int(running.wait_for(r"\| pid (\d+)")[1])
        running.wait_for(ready)
        os.kill(pid, signal.SIGKILL)
        running.wait_for(f"starting it again in {pause} s")


def test_what_cannot_start_stops_everything_and_gives_its_reason(run: Run) -> None:
    running = run({"steady": STEADY}, {"broken": "import sys; sys.exit('the disk is on fire')"})
    pid = int(running.wait_for(r"\| pid (\d+)")[1])
    assert running.wait() == 1
    assert running.said[-2:] == ["broken cannot start, it ended (exit code 1):\n", "  the disk is on fire\n"]
    assert all_gone({pid}, 0)


def test_a_program_that_does_not_exist_cannot_start(run: Run) -> None:
    running = run({"steady": STEADY, "gone": "/nowhere/program"})
    assert running.wait() == 1
    assert "No such file" in running.said[-1]


def test_a_fork_has_nothing_of_the_supervisors(run: Run) -> None:
    running = run({"a-name-of-its-own": SELF})
    running.wait_for(r"\| a-name-of-its-own True a-name-of-its-")
    running.wait_for(r"\| \['0', '1', '2', '3'\] ''")  # the last of them is the folder that it reads


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("sys.exit('on fire')", 1, "on fire"),
        ("sys.exit(3)", 3, ""),
        ("sys.exit()", 0, ""),
        ("1 / 0", 1, "ZeroDivision"),
    ],
)
def test_a_fork_that_cannot_start_gives_its_reason(run: Run, end: str, code: int, said: str) -> None:
    running = run({"broken": f"# fork\nimport sys; {end}"})
    assert running.wait() == 1
    last = "".join(running.said).rpartition(f"broken cannot start, it ended (exit code {code}):")
    assert last[0]
    assert said in last[2]


@pytest.fixture
def heard() -> Iterator[None]:
    """Hear a hang-up, also where the tests themselves run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_signal_ends_everything_in_order(run: Run, number: signal.Signals) -> None:
    said = "print('stopping', flush=True), time.sleep(0.2), os._exit(0)"
    script = f"{READY} signal.signal(signal.SIGTERM, lambda *_: ({said})); signal.pause()"
    running = run({"last": script, "second": script, "first": script}, phases={"first": 0, "second": 1, "last": 2})
    running.wait_for("all ready")
    family = descendants(running.process.pid)
    assert running.stop(number) == 0
    assert [line.split()[0] for line in running.said if "| stopping" in line] == ["first", "second", "last"]
    assert all_gone(family, 0)


def test_nohup_is_respected(run: Run) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = run({"steady": STEADY})
    finally:
        signal.signal(signal.SIGHUP, before)
    running.wait_for("all ready")
    running.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert running.process.poll() is None


def test_what_does_not_stop_is_killed_within_ten_seconds(run: Run) -> None:
    running = run({"stubborn": STUBBORN, "steady": STEADY, "forked": FORKED})
    running.wait_for("all ready")
    family = descendants(running.process.pid)
    begin = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - begin < 10
    assert all_gone(family, 0)


def test_a_stop_during_the_start_ends_everything(run: Run) -> None:
    running = run({"slow": "import time; print('slow', flush=True); time.sleep(60)"})
    running.wait_for(r"\| slow")
    family = descendants(running.process.pid)
    assert running.stop() == 0
    assert all_gone(family, 0)


def test_the_children_of_what_dies_die_with_it(run: Run) -> None:
    running = run({"parent": PARENT})
    child = int(running.wait_for(r"\| child (\d+)")[1])
    running.find("all ready")  # before or after
    (supervisor,) = descendants(running.process.pid) & set(map(int, _children(running.process.pid)))
    (parent,) = map(int, _children(supervisor))
    os.kill(parent, signal.SIGKILL)
    assert all_gone({parent, child}, 2)
    assert running.wait_for(r"\| child (\d+)")


@pytest.mark.parametrize("victim", ["subreaper", "supervisor"])
def test_a_killed_supervisor_leaves_nothing_behind(run: Run, victim: str) -> None:
    running = run({"parent": PARENT, "steady": STEADY, "forked": FORKED})
    running.wait_for("all ready")
    family = descendants(running.process.pid)
    supervisor = int(_children(running.process.pid)[0])
    os.kill(running.process.pid if victim == "subreaper" else supervisor, signal.SIGKILL)
    assert all_gone(family, 10)
    assert running.wait(5) in (1, -signal.SIGKILL)


def test_a_reader_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    listed = [[["talkative", TALKATIVE, 0]]]
    reader, writer = os.pipe()
    command = [sys.executable, STANDINS, json.dumps(listed)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=writer) as process:
        try:
            assert appears(tmp_path / "said-it-all", seconds=15)
        finally:
            process.terminate()
    os.close(writer)
    os.close(reader)


def appears(file: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return file.exists()


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
