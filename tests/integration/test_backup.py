"""A backup that is made under load is restored into an empty home, where nothing is missing; or nothing is made."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from services.cli.data.archive import ArchiveError, archiver_for
from services.cli.data.backup import building
from shared.platform.settings import Settings
from tests.conftest import encoded
from tests.driver.client import Client
from tests.driver.load import History, Sent, Tenant, load
from tests.driver.verdict import assert_each_routed_once
from tests.integration.test_up_accounts import AS_NOBODY, NOBODY
from tests.program import all_gone, descendants, program
from tests.referrals import REFERRALS, Up, referrals, up

DESTINATION = """
    insert into destinations (id, queue, escalation_level, url, secret)
    values (gen_random_uuid(), 'urgent', 9, 'https://on-call.example/referrals', 'sealed')
"""  # of a rung that no ladder has: nothing is sent there
BEFORE = 100  # intakes accepted before the backup begins


@dataclass(frozen=True)
class Scene:
    """A backup, what had been accepted before it began, and the keys of the service that it is of."""

    file: Path
    accepted: list[Sent]
    keys: dict[str, str]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("backup")
    with up(folder / "home") as running:
        keys = running.keys()
        tenant = Tenant(client(running, keys["submitter"]), client(running, keys["operator"]))
        with psycopg.connect(database(folder / "home")) as connection:
            connection.execute(DESTINATION)
        with load(History("form", [tenant]), rate=40) as history:
            wait_until(lambda: len(accepted(history)) >= BEFORE)
            before = accepted(history)
            answer = referrals("backup", folder / "psoas.dump", "--home", folder / "home")
            assert answer.returncode == 0, answer.stderr
            wait_until(lambda: len(accepted(history)) >= len(before) + BEFORE)
        yield Scene(folder / "psoas.dump", before, keys)


def test_its_secrets_go_elsewhere_or_nowhere(tmp_path: Path) -> None:
    home, kept = tmp_path / "home", tmp_path / "kept"
    with up(home, "--secrets", str(kept)):
        assert not (home / "secrets").exists()
        assert (kept / "identity_keys").exists()
        alone = referrals("backup", tmp_path / "alone.dump", "--home", home, "--without-secrets")
        assert (alone.returncode, "secrets were not written" in alone.stdout) == (0, True), alone.stderr
        apart = referrals("backup", tmp_path / "a.dump", "--home", home, "--secrets", tmp_path / "keys.env")
        assert apart.returncode == 0, apart.stderr
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["a.dump", "alone.dump", "keys.env"]
    key = (kept / "identity_keys").read_text().strip()
    assert f"IDENTITY_KEYS={key}" in (tmp_path / "keys.env").read_text().splitlines()


def client(running: Up, key: str) -> Client:
    return Client(urlsplit(running.url).port or 0, key)


def accepted(history: History) -> list[Sent]:
    return [sent for sent in list(history.sent) if sent.outcome == "ok"]


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def database(home: Path, name: str = "DATABASE_URL") -> str:
    url: str = json.loads((home / "running.json").read_text())["environment"][name]
    return url


def destinations(home: Path) -> list[str]:
    with psycopg.connect(database(home)) as connection:
        return [status for (status,) in connection.execute("select status from destinations")]


def test_the_files_are_for_their_owner_alone(scene: Scene) -> None:
    secrets = scene.file.with_name("psoas.dump.secrets")
    assert [file.stat().st_mode & 0o777 for file in (scene.file, secrets)] == [0o600, 0o600]
    assert [line.partition("=")[0] for line in secrets.read_text().splitlines()] == [
        *("IDENTITY_KEYS", "LOOKUP_KEY", "CHAIN_KEY")
    ]
    assert sorted(file.name for file in scene.file.parent.iterdir()) == ["home", "psoas.dump", "psoas.dump.secrets"]


def test_whatever_was_accepted_before_is_there_with_its_referral_timeline_and_identity(
    scene: Scene, tmp_path: Path
) -> None:
    home = tmp_path / "restored"
    answer = referrals("restore", scene.file, "--home", home)
    assert answer.returncode == 0, answer.stderr
    assert "as many as in the backup" in answer.stdout
    with up(home) as restored:
        hospital, operator = (client(restored, scene.keys[role]) for role in ("submitter", "operator"))
        tenant = Tenant(hospital, operator)
        sent_before = [replace(sent, tenant=tenant) for sent in scene.accepted]
        assert_each_routed_once(History("form", [tenant], sent_before))
        for sent in sent_before:
            referral = hospital.get(f"/v1/intakes/{sent.intake}")["referral"]["links"]["self"]
            assert [event["type"] for event in operator.get(f"{referral}/events")["events"]] == ["referral.queued"]
            assert operator.get(referral)["patient"]["mrn"] == sent.mrn
        again = replace(sent_before[0], intake=None)
        again.send()
        assert again.intake == scene.accepted[0].intake
        assert destinations(home) == ["active"]
        owner = database(home, "OWNER_DATABASE_URL")
        with psycopg.connect(owner) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("delete from events")


def test_a_file_that_exists_is_not_overwritten(scene: Scene) -> None:
    before = scene.file.read_bytes()
    answer = referrals("backup", scene.file, "--home", scene.file.parent / "home")
    assert (answer.returncode, scene.file.read_bytes()) == (1, before)
    assert "exists already" in answer.stderr


def test_what_a_killed_backup_has_left_is_written_over(scene: Scene, tmp_path: Path) -> None:
    home, file = scene.file.parent / "home", tmp_path / "psoas.dump"
    with program([REFERRALS, "backup", file, "--home", home]) as killed:
        left = file.with_name("psoas.dump.new")
        wait_until(left.exists)
        killed.process.kill()
        killed.wait()
    left.write_text("x" * 10_000_000)
    file.with_name("psoas.dump.secrets.new").write_text("half")
    for path in (file, file.with_name("psoas.dump.secrets")):
        path.unlink(missing_ok=True)  # where it was quicker than the kill
    answer = referrals("backup", file, "--home", home)
    assert answer.returncode == 0, answer.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["psoas.dump", "psoas.dump.secrets"]
    assert referrals("restore", file, "--home", tmp_path / "restored").returncode == 0


def test_a_backup_that_is_still_written_is_left_alone(scene: Scene, tmp_path: Path) -> None:
    with building(tmp_path / "psoas.dump") as other:
        answer = referrals("backup", tmp_path / "psoas.dump", "--home", scene.file.parent / "home")
        assert answer.returncode == 1
        assert answer.stderr == f"Error: another backup writes {other}\n"
        assert other.exists()
    assert list(tmp_path.iterdir()) == []


def test_where_the_secrets_cannot_be_written_there_is_no_copy(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "psoas.dump.secrets.new").mkdir()
    answer = referrals("backup", tmp_path / "psoas.dump", "--home", scene.file.parent / "home")
    assert (answer.returncode, "psoas.dump.secrets.new" in answer.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["psoas.dump.secrets.new"]


def refused(answer_to: list[str | Path], home: Path, why: str) -> None:
    answer = referrals("restore", *answer_to, "--home", home)
    assert answer.returncode == 1
    assert why in answer.stderr
    assert not list(home.parent.glob("*.restoring"))


def test_wrong_secrets_are_refused(scene: Scene, tmp_path: Path) -> None:
    wrong = tmp_path / "secrets"
    wrong.write_text(f"IDENTITY_KEYS=k1:{encoded(bytes(32))}\nLOOKUP_KEY={encoded(bytes(32))}\n")
    refused([scene.file, "--secrets", wrong], tmp_path / "home", "IDENTITY_KEYS do not open the identities")
    wrong.write_text("IDENTITY_KEYS=\n")
    refused([scene.file, "--secrets", wrong], tmp_path / "home", "does not name IDENTITY_KEYS and LOOKUP_KEY")
    refused([scene.file, "--secrets", tmp_path / "none"], tmp_path / "home", "without its secrets")
    assert not (tmp_path / "home").exists()


def test_a_home_that_holds_something_is_refused(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "something").touch()
    refused([scene.file], tmp_path / "home", "is not empty")
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["something"]


def test_half_a_backup_is_refused(scene: Scene, tmp_path: Path) -> None:
    half = tmp_path / "half.dump"
    half.write_bytes(scene.file.read_bytes()[: scene.file.stat().st_size // 2])
    secrets = scene.file.with_name("psoas.dump.secrets")
    refused([half, "--secrets", secrets], tmp_path / "home", "pg_restore")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_restore_leaves_no_home_and_the_next_one_works(
    scene: Scene, tmp_path: Path, number: signal.Signals
) -> None:
    home = tmp_path / "home"
    with program([REFERRALS, "restore", scene.file, "--home", home]) as interrupted:
        wait_until(lambda: (tmp_path / ".home.restoring" / "postgres" / "postmaster.pid").exists())
        sockets = Path(json.loads((tmp_path / ".home.restoring" / "running.json").read_text())["folder"])
        family = descendants(interrupted.process.pid)
        for pid in (*family, interrupted.process.pid) if number == signal.SIGKILL else (interrupted.process.pid,):
            os.kill(pid, number)
        interrupted.wait()
        assert all_gone(family)
    assert not home.exists()
    assert referrals("restore", scene.file, "--home", home).returncode == 0
    assert [file.name for file in tmp_path.iterdir()] == ["home"]
    assert sorted(file.name for file in home.iterdir()) == ["lock", "postgres", "secrets"]
    assert not sockets.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_restores_a_backup_of_its_own(scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "of-nobody"
    folder.mkdir(mode=0o700)
    for file in (scene.file, scene.file.with_name("psoas.dump.secrets")):
        shutil.copy(file, folder)
    for path in (folder, *folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    home = folder / "home"
    with program([*AS_NOBODY, REFERRALS, "restore", folder / "psoas.dump", "--home", home]) as restoring:
        assert restoring.wait(60) == 0, restoring.said
    assert {file.stat().st_uid for file in home.rglob("*")} == {NOBODY}
    with up(home) as running:  # as root, which goes on with the data of whoever it belongs to
        operator = client(running, scene.keys["operator"])
        assert len(operator.worklist("urgent")) >= BEFORE // 8


def test_a_rehearsal_calls_nobody(scene: Scene, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert referrals("restore", scene.file, "--home", home, "--rehearsal").returncode == 0
    with up(home):
        assert destinations(home) == ["disabled"]


def test_a_database_of_the_sites_own_is_backed_up_too(
    settings: Settings, environment: dict[str, str], migrated: object, tmp_path: Path
) -> None:
    assert settings
    assert migrated
    answer = referrals("backup", tmp_path / "psoas.dump", env=environment)
    assert answer.returncode == 0, answer.stderr
    assert "intakes" in answer.stdout
    assert environment["LOOKUP_KEY"] in (tmp_path / "psoas.dump.secrets").read_text()


def test_programs_that_are_older_than_the_server_are_named() -> None:
    assert archiver_for(18).programs.name == "bin"
    with pytest.raises(ArchiveError, match="the server is PostgreSQL 99 and needs a pg_dump that is not older; found"):
        archiver_for(99)
