"""What root starts runs without root: every process of `up`, on old and new homes, with ports and files of root's."""

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.embedded.home import Home, HomeError
from services.embedded.rights.capabilities import DAC_READ_SEARCH
from services.embedded.rights.given_files import with_readable_files
from services.embedded.rights.handles import Handles
from services.embedded.rights.plan import Rights, planned
from services.embedded.servers.account import SERVERS_UID
from services.embedded.supervisor.service import Account
from tests.program import all_gone, descendants
from tests.referrals import PROCESSES, RED_FLAG, SERVERS, Up, referrals, request, up

ROOT = Path(__file__).parents[2]
ACCOUNT = Account(SERVERS_UID, SERVERS_UID)
NOBODY = 65534
READING_OR_BINDING = {1 << 2, 1 << 10, 1 << 2 | 1 << 10, 0}
KILLING = 1 << 5

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def status(pid: int, line: str) -> list[str]:
    found = re.search(rf"^{line}:(.*)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return found[1].split()


def open_to_all(folder: Path) -> None:
    """Let every user read a folder of the tests, which pytest makes for its own user alone."""
    for each in (folder, *folder.parents):
        each.chmod(each.stat().st_mode | 0o055)


def assert_without_root(running: Up) -> None:
    """No process has an id or a group of root, a way to more rights, or a capability but to read or to bind."""
    servers = {pid for name in SERVERS for pid in {running.processes().get(name)} if pid}
    servers |= {each for pid in servers for each in descendants(pid)}
    for pid in running.family():
        assert {*status(pid, "Uid"), *status(pid, "Gid")} == {str(SERVERS_UID)}
        assert status(pid, "Groups") == []
        assert status(pid, "NoNewPrivs") == ["1"]
        held = int(status(pid, "CapPrm")[0], 16)
        assert held in ({KILLING} if pid == running.process.pid else {0} if pid in servers else READING_OR_BINDING)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key, in a folder and with a mode that let root alone read them."""
    folder = tmp_path_factory.mktemp("tls")
    chain, key = folder / "chain.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", chain], check=True, capture_output=True)
    for file in (chain, key):
        file.chmod(0o600)
    return chain, key


def test_no_process_is_roots_also_after_each_was_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as running:
        key = running.keys()["submitter"]
        assert_without_root(running)
        assert request(f"{running.url}/v1/intakes", key, RED_FLAG)[0] == 200
        for name in (*PROCESSES, "valkey", "postgres"):
            os.kill(running.processes()[name], signal.SIGKILL)
            running.wait_for(f"^{name} is back")
        assert request(f"{running.url}/v1/intakes", key, RED_FLAG)[0] == 200
        assert_without_root(running)
        family = running.family()
        assert running.stop() == 0
        assert all_gone(family, 0)
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (0, 0o700)
    assert {file.stat().st_uid for file in (home / "secrets").iterdir()} == {0}
    assert not (home / "running.json").exists()


def test_programs_that_root_alone_can_read_start(tmp_path: Path, closed: Path) -> None:
    for package in ("services", "shared"):
        shutil.copytree(ROOT / package, closed / package, ignore=shutil.ignore_patterns("__pycache__"))
    command = (sys.executable, "-m", "services.cli")
    with up(tmp_path / "home", command=command, cwd=closed, env=os.environ | {"PYTHONPATH": str(closed)}) as running:
        key = running.keys()["submitter"]
        assert_without_root(running)
        assert request(f"{running.url}/v1/intakes", key, RED_FLAG)[0] == 200
        assert running.stop() == 0


def test_a_home_of_a_release_that_ran_as_root_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as first:
        key = first.keys()["submitter"]
        assert first.stop() == 0
    heads = home / "chain-heads.jsonl"
    before = heads.read_text()
    os.chown(heads, 0, 0)  # as the processes of root left it, and with a note that is a file
    (home / "running.json").unlink(missing_ok=True)
    (home / "running.json").write_text(json.dumps({"url": "", "folder": str(tmp_path / "gone"), "environment": {}}))
    for _ in range(2):
        with up(home) as again:
            assert_without_root(again)
            assert request(f"{again.url}/v1/intakes", key, RED_FLAG)[0] == 200
            assert again.stop() == 0
    assert heads.stat().st_uid == SERVERS_UID
    assert heads.read_text().startswith(before)
    assert len(heads.read_text().splitlines()) > len(before.splitlines())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("served") / "home") as running:
        yield running


@pytest.mark.parametrize(
    "words",
    [
        ("audit",),
        ("doctor",),
        ("keys", "issue", "--role", "operator"),
        ("people", "add", "Dr A. Okafor", "--role", "operator"),
        ("people", "list"),
        ("facilities", "add", "st-marys"),
        ("retention", "run", "--facility", "demo-hospital", "--dry-run"),
        ("keys", "rotate-identity"),
        ("watch", "--once"),
    ],
    ids=" ".join,
)
def test_what_root_runs_on_the_home_works(words: tuple[str, ...], served: Up) -> None:
    done = referrals(*words, "--home", served.home)
    assert done.returncode == 0, done.stdout + done.stderr


def test_root_backs_up_and_restores(served: Up, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert referrals("backup", copy, "--home", served.home).returncode == 0
    restored = referrals("restore", copy, "--home", tmp_path / "restored")
    assert restored.returncode == 0, restored.stderr
    with up(tmp_path / "restored") as running:
        assert_without_root(running)


def test_the_signed_head_is_written_and_storage_is_seen(served: Up) -> None:
    done = json.loads(referrals("audit", "--home", served.home, "--json").stdout)
    assert done["findings"]["head_unknown"] == 0
    assert (served.home / "chain-heads.jsonl").read_text()
    said = json.loads(referrals("doctor", "--home", served.home, "--json").stdout)
    (storage,) = (each for each in said if each["check"] == "storage")
    assert storage["state"] == "ok"
    assert request(f"{served.url}/health/ready", "")[1].get("degraded", []) == []


def test_a_low_port_and_files_that_root_alone_can_read(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    (tmp_path / "lookup").write_text("A" * 43 + "=\n")
    (tmp_path / "lookup").chmod(0o600)
    own = {"TLS_CERTIFICATE_FILE": str(chain), "TLS_KEY_FILE": str(key), "LOOKUP_KEY_FILE": str(tmp_path / "lookup")}
    with up(tmp_path / "home", "--port", "943", env={**os.environ, **own}) as running:
        assert running.url == "https://127.0.0.1:943"
        assert_without_root(running)
        assert ssl.get_server_certificate(("127.0.0.1", 943)) == chain.read_text()
        os.kill(running.processes()["api"], signal.SIGKILL)
        running.wait_for("^api is back")
        issued = referrals("keys", "issue", "--role", "operator", "--home", running.home)
        assert issued.returncode == 0, issued.stderr
        assert running.stop() == 0


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    gone = {**os.environ, "LOOKUP_KEY_FILE": str(tmp_path / "gone")}
    done = referrals("up", "--home", tmp_path / "home", "--port", "0", env=gone)
    assert done.returncode == 1
    assert f"LOOKUP_KEY_FILE: {tmp_path / 'gone'}: No such file or directory" in done.stderr


def test_files_come_as_values_only_where_the_account_cannot_read_them(tmp_path: Path, closed: Path) -> None:
    open_to_all(tmp_path)
    (tmp_path / "open").write_text("for all")
    (closed / "secret").write_text(" for root \n")
    given = {"A_FILE": str(tmp_path / "open"), "B_FILE": str(closed / "secret"), "C": "c"}
    given |= {"TLS_KEY_FILE": str(closed / "secret"), "TLS_CERTIFICATE_FILE": ""}
    found = with_readable_files(given, ("A", "B", "C"), Rights(ACCOUNT), tmp_path)
    copy = Path(found.pop("TLS_KEY_FILE"))
    assert found == {"A_FILE": str(tmp_path / "open"), "B": "for root", "C": "c", "TLS_CERTIFICATE_FILE": ""}
    assert (copy.parent, copy.read_text(), copy.stat().st_uid) == (tmp_path, " for root \n", SERVERS_UID)
    assert copy.stat().st_mode & 0o777 == 0o400
    reading = Rights(ACCOUNT, frozenset({DAC_READ_SEARCH}))
    assert with_readable_files(given, ("A", "B", "C"), reading, tmp_path) == given


def test_the_right_to_read_is_kept_where_programs_are_closed_alone(
    tmp_path: Path, closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all(tmp_path)
    everywhere = {"sys.executable": "/bin/sh", "sys.prefix": "/usr", "sys.path": ["/usr/lib"], "os.__file__": "/bin/sh"}
    for name, value in everywhere.items():
        monkeypatch.setattr(name, value)
    monkeypatch.setattr("services.__path__", ["/usr/lib"])
    home = Home(tmp_path / "home")
    home.path.mkdir()
    assert planned(home, 8080) == Rights(ACCOUNT)
    assert planned(home, 443) == Rights(ACCOUNT, frozenset({10}))
    monkeypatch.setattr("sys.path", ["/usr/lib", str(closed)])
    assert planned(home, 8080) == Rights(ACCOUNT, frozenset({DAC_READ_SEARCH}))
    os.chown(home.path, NOBODY, NOBODY)
    found = planned(home, 8080)
    assert found
    assert found.account == Account(NOBODY, NOBODY)


def test_a_name_that_leads_out_of_the_home_is_not_handed_over(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("root's")
    handles = Handles(ACCOUNT)
    (tmp_path / "link").symlink_to(other)
    (tmp_path / "hard").hardlink_to(other)
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "hard", "fifo"):
        with pytest.raises((HomeError, OSError)):
            handles.file(tmp_path / name)
    assert other.stat().st_uid == 0
    assert handles.descriptors == []


def test_a_note_that_the_account_wrote_is_not_believed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as running:
        note = (home / "running.json").resolve()
        forged = note.with_name("forged")
        forged.write_text(note.read_text().replace('"environment": {', '"environment": {"LD_PRELOAD": "/tmp/x.so", '))
        os.chown(forged, SERVERS_UID, SERVERS_UID)
        kept = note.with_name("kept")
        note.rename(kept)
        forged.rename(note)
        refused = referrals("keys", "list", "--home", home)
        assert (refused.returncode, "nothing is running" in refused.stderr) == (1, True)
        kept.rename(note)
        assert referrals("keys", "list", "--home", home).returncode == 0
        assert running.stop() == 0
