"""`deploy/make-venv` checks the machine in one line each, and makes again whatever .venv would not work.

The interpreter is a stand-in for `venv` and `pip`, which notes what it is asked to install; all else is the real one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAND_IN = """#!/bin/sh
version='{version}'
case "$*" in
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m pip --version") [ -e "$(dirname "$0")/referrals" ] ;;
"-m pip install "*"--editable .")
  echo installed >>installed.log
  printf '#!/bin/sh\\n# %s\\nexit 0\\n' "$(cd "$(dirname "$0")" && pwd -P)/python" >"$(dirname "$0")/referrals"
  chmod +x "$(dirname "$0")/referrals" ;;
"-m pip install "*) [ ! -e stop-here ] ;;
"-c "*) exec {python} -c "import sys; sys.version_info = ($version, 'final', 0)
$2" ;;
*) exit 0 ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what the script needs, in a path with a space."""
    folder = tmp_path / "a clone"
    for name in ("deploy/make-venv", "requirements/embedded.lock", "requirements/dev.lock", "pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def python(folder: Path, name: str = "python3", version: str = "3, 12, 1") -> Path:
    """Put a stand-in for the interpreter of that version into a folder."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(STAND_IN.format(version=version, python=sys.executable))
    file.chmod(0o755)
    return file


def make(clone: Path, path: Path, *asked: str, lock: str = "embedded") -> subprocess.CompletedProcess[str]:
    """Run the script as the Makefile does, with interpreters from `path` alone."""
    tools = clone.parent / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("sh", "dirname", "head", "grep", "find", "uname", "rm", "mkdir", "cp", "chmod", "touch"):
        if not (tools / name).exists():
            (tools / name).symlink_to(str(shutil.which(name)))
    env = {"PATH": f"{path}{os.pathsep}{tools}"}
    script = (clone / "deploy" / "make-venv", ".venv", lock, *asked)
    return subprocess.run(script, env=env, capture_output=True, text=True, timeout=60, check=False)


def installs(clone: Path) -> int:
    """Return how often the package was installed."""
    log = clone / "installed.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    python(tmp_path / "bin")
    return tmp_path / "bin"


def test_an_old_python_is_named_in_one_line_and_nothing_is_made(clone: Path, tmp_path: Path) -> None:
    python(tmp_path / "bin", version="3, 10, 13")
    done = make(clone, tmp_path / "bin")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("Error: Psoas needs Python 3.11 or newer; python3 is 3.10.13.")
    assert not (clone / ".venv").exists()


def test_a_newer_python_beside_an_old_one_is_found(clone: Path, tmp_path: Path) -> None:
    python(tmp_path / "bin", version="3, 10, 13")
    python(tmp_path / "bin", "python3.12")
    assert make(clone, tmp_path / "bin", "python3").returncode == 1  # what was asked for is taken at its word
    assert make(clone, tmp_path / "bin").returncode == 0
    assert installs(clone) == 1


def test_what_is_whole_is_left_alone_and_a_new_lock_is_installed(clone: Path, path: Path) -> None:
    for _ in range(3):
        assert make(clone, path).returncode == 0
    assert installs(clone) == 1
    stamp = (clone / ".venv" / "installed-embedded").stat()
    os.utime(clone / "requirements" / "embedded.lock", (stamp.st_atime + 5, stamp.st_mtime + 5))
    assert "making it again" not in make(clone, path).stderr
    assert installs(clone) == 2


@pytest.mark.parametrize("damage", ["old python", "no command", "no interpreter", "no stamp", "empty"])
def test_what_would_not_work_is_made_again(clone: Path, path: Path, damage: str) -> None:
    assert make(clone, path).returncode == 0
    venv = clone / ".venv"
    match damage:
        case "old python":
            python(venv / "bin", "python", version="3, 10, 13")
        case "no command":
            (venv / "bin" / "referrals").unlink()
        case "no interpreter":
            (venv / "bin" / "python").unlink()
        case "no stamp":
            (venv / "installed-embedded").unlink()
        case _:
            shutil.rmtree(venv)
            venv.mkdir()
    done = make(clone, path)
    assert done.returncode == 0, done.stderr
    assert "making it again" in done.stderr
    assert installs(clone) == 2


def test_an_installation_that_was_cut_off_is_made_again(clone: Path, path: Path) -> None:
    (clone / "stop-here").touch()
    assert make(clone, path).returncode != 0
    (clone / "stop-here").unlink()
    done = make(clone, path)
    assert (done.returncode, installs(clone)) == (0, 1)
    assert "making it again" in done.stderr


def test_a_moved_folder_gets_an_environment_of_its_own(clone: Path, path: Path) -> None:
    assert make(clone, path).returncode == 0
    moved = clone.rename(clone.with_name("moved"))
    assert "making it again" in make(moved, path).stderr
    copied = Path(shutil.copytree(moved, moved.with_name("copied")))  # while the first is still where it was
    assert "making it again" in make(copied, path).stderr
    assert str(copied) in (copied / ".venv" / "bin" / "referrals").read_text()
