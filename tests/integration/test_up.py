"""`referrals up` from its first start to its end, seen from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from services.cli.demo.shift import HAILE, LINDQVIST, OKAFOR
from shared.clinical.referral.lifecycle import QUEUES
from shared.platform.settings import Settings
from shared.protocols import ACTIVE, cases
from tests.program import all_gone, descendants, program
from tests.referrals import PROCESSES, RED_FLAG, REFERRALS, ROLES, SERVERS, STOP_SECONDS, Up, referrals, request, up
from tests.streams import Stream


def test_the_first_start_prints_a_key_for_each_role(keys: dict[str, str]) -> None:
    assert sorted(keys) == sorted(ROLES)
    assert len(set(keys.values())) == len(ROLES)


def test_the_printed_line_works_when_pasted(running: Up, keys: dict[str, str]) -> None:
    assert keys
    line = running.wait_for(r"^ +(curl .*)$")[1]
    answer = json.loads(subprocess.run(["sh", "-c", line], capture_output=True, check=True, timeout=30).stdout)
    assert answer["status"] == "triaged"
    assert answer["decision"]["queue"] == "urgent"
    assert answer["decision"]["red_flags"] == ["RF_BLADDER_BOWEL"]


def test_each_process_runs_once(running: Up) -> None:
    assert sorted(running.processes()) == sorted([*PROCESSES, *SERVERS])


def test_what_is_not_urgent_gives_way(running: Up) -> None:
    niceness = {name: os.getpriority(os.PRIO_PROCESS, pid) for name, pid in running.processes().items()}
    added = {name: nice - niceness["urgent"] for name, nice in niceness.items()}  # to what the tests run with
    assert {name for name, more in added.items() if more > 0} == {"routine", "delivery"}
    for name, pid in running.processes().items():  # where sessions come before processes, theirs give way as well
        group = Path(f"/proc/{pid}/autogroup")
        assert not group.exists() or group.read_text().endswith(f" nice {added[name]}\n")


def test_nothing_but_the_api_listens_on_the_network(running: Up) -> None:
    listening = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line}
    open_files = (fd for pid in running.family() for fd in Path(f"/proc/{pid}/fd").iterdir())
    ours = {str(fd.readlink()) for fd in open_files if fd.is_symlink()}
    assert len([inode for inode in listening if f"socket:[{inode}]" in ours]) == 1


def test_what_the_home_holds_is_closed_to_others(home: Path) -> None:
    assert home.stat().st_mode & 0o777 == 0o700
    for file in (home / "running.json", *(home / "secrets").iterdir()):
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_is_issued_listed_and_revoked(running: Up, home: Path) -> None:
    assert referrals("facilities", "add", "st-marys", "--home", home).returncode == 0
    issue = referrals("keys", "issue", "--role", "submitter", "--facility", "st-marys", "--home", home, "--json")
    issued = json.loads(issue.stdout)
    assert request(f"{running.url}/v1/intakes", issued["key"], RED_FLAG)[0] == 200
    assert f"{issued['id']}  submitter   st-marys" in referrals("keys", "list", "--home", home).stdout
    assert referrals("keys", "revoke", issued["id"], "--home", home).returncode == 0
    assert re.search(f"{issued['id']}.*revoked", referrals("keys", "list", "--home", home).stdout)
    assert "no key" in referrals("keys", "revoke", issued["id"], "--home", home).stderr


def test_a_facility_is_added_listed_and_closed(running: Up, home: Path) -> None:
    issue = ("keys", "issue", "--role", "submitter", "--home", home, "--facility")
    refused = referrals(*issue, "closing")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "facilities add" in refused.stderr
    assert referrals("facilities", "add", "closing", "--kind", "test", "--home", home).stdout == "added closing\n"
    assert referrals("facilities", "add", "closing", "--home", home).returncode == 1
    assert referrals("facilities", "add", "Closing", "--home", home).returncode == 2
    key = referrals(*issue, "closing").stdout.strip()
    assert request(f"{running.url}/v1/intakes", key, RED_FLAG)[0] == 200
    assert referrals("facilities", "close", "closing", "--home", home).stdout == "closed closing\n"
    assert referrals("facilities", "close", "closing", "--home", home).returncode == 1
    listed = referrals("facilities", "list", "--home", home).stdout
    assert re.search(r"^closing +test .* closed", listed, re.MULTILINE)
    assert re.search(r"^demo-hospital +live .* open$", listed, re.MULTILINE)
    late = referrals(*issue, "closing").stdout.strip()
    assert request(f"{running.url}/v1/intakes", late, RED_FLAG)[0] == 403


@pytest.mark.parametrize("arguments", [["--role", "submitter"], ["--role", "department"], ["--role", "nurse"]])
def test_a_key_that_could_do_nothing_is_not_issued(home: Path, arguments: list[str]) -> None:
    answer = referrals("keys", "issue", *arguments, "--home", home)
    assert answer.returncode == 2
    assert not answer.stdout


def test_the_demo_routes_every_case_as_the_protocol_expects(running: Up, home: Path) -> None:
    first, second = (referrals("demo", "--home", home) for _ in range(2))
    table, _, address = first.stdout.partition("\n\n")
    rows = [line.split()[:3] for line in table.splitlines()[1:]]
    expected = [[case["id"], case["expect"]["queue"], case["expect"]["priority"]] for case in cases(ACTIVE)]
    assert rows == expected, running.said
    assert second.stdout == first.stdout
    assert address.startswith(f"the console: {running.url}/console ")


def test_the_demo_leaves_the_board_of_a_shift(running: Up, home: Path, keys: dict[str, str]) -> None:
    referrals("demo", "--home", home)
    listed = [
        referral
        for queue in QUEUES
        for referral in request(f"{running.url}/v1/queues/{queue}/referrals?status=all&limit=200", keys["operator"])[1][
            "referrals"
        ]
    ]
    assert {"queued", "acknowledged", "completed", "returned"} <= {each["status"] for each in listed}
    assert {OKAFOR, HAILE, LINDQVIST} <= {each["acknowledged"]["by"] for each in listed if each["acknowledged"]}
    assert any(each["overdue"] and each["queue"] == "urgent" for each in listed)


def test_a_department_that_listens_hears_of_a_red_flag_at_once(running: Up, keys: dict[str, str]) -> None:
    with Stream(int(running.url.rpartition(":")[2]), keys["operator"]) as stream:
        assert stream.fields()["retry"] == "2000"
        posted = {**RED_FLAG, "patient": {"mrn": "MRN-STREAM", "birth_date": "1980-01-01"}}
        status, intake = request(f"{running.url}/v1/intakes", keys["submitter"], posted)
        began = time.monotonic()
        event = stream.event()
        while event["intake_id"] != intake["id"]:
            event = stream.event()
        assert time.monotonic() - began < 5  # seconds; a quarter of one when nothing else runs
    assert (status, event["type"], event["data"]["queue"]) == (200, "referral.queued", "urgent")


def test_the_audit_finds_nothing_and_its_head_is_where_the_next_one_begins(running: Up, home: Path) -> None:
    assert running.url
    first = referrals("audit", "--home", home, "--json")
    said = json.loads(first.stdout)
    assert (first.returncode, said["broken"], set(said["findings"].values())) == (0, None, {0})
    head = f"{said['head']['number']}:{said['head']['digest']}"
    again = referrals("audit", "--home", home, "--since", head)
    assert (again.returncode, again.stderr) == (0, "")
    assert re.search(r"^chain +unbroken up to \d+:[0-9a-f]{64}$", again.stdout, re.MULTILINE)
    other = referrals("audit", "--home", home, "--since", f"{said['head']['number']}:{'0' * 64}")
    assert other.returncode == 1
    assert f"broken at event {said['head']['number']}" in other.stdout
    assert referrals("audit", "--home", home, "--since", "x").returncode == 2


def test_a_second_up_on_the_same_home_is_refused(running: Up, home: Path) -> None:
    answer = referrals("up", "--home", home, "--port", "0")
    assert answer.returncode == 1
    assert answer.stderr == f"Error: {home} is in use by another `referrals up`, process {running.process.pid}\n"


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        answer = referrals("up", "--home", tmp_path / "home", "--port", str(port))
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"Error: cannot listen at 127.0.0.1:{port}: Address already in use")


def test_without_a_running_service_the_commands_say_so(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    for command in (["keys", "list"], ["demo"]):
        answer = referrals(*command, "--home", tmp_path, env=clean)
        assert answer.returncode == 1
        assert answer.stderr.startswith(f"Error: nothing is running in {tmp_path}")


def test_a_second_start_finds_its_data_in_a_home_with_a_long_path(tmp_path: Path) -> None:
    home = tmp_path / ("h" * 100) / ("o" * 100)
    with up(home) as first:
        keys = first.keys()
        _, posted = request(f"{first.url}/v1/intakes", keys["submitter"], RED_FLAG)
        family = first.family()
        begin = time.monotonic()
        assert first.stop(signal.SIGINT, STOP_SECONDS) == 0
        assert time.monotonic() - begin < STOP_SECONDS
        assert all_gone(family, 0)
    with up(home) as second:
        assert "keys issue" in second.wait_for("^another key: (.*)")[1]
        status, found = request(f"{second.url}{posted_link(posted)}", keys["submitter"])
        family = second.family()
        assert second.stop(signal.SIGTERM, STOP_SECONDS) == 0
        assert all_gone(family, 0)
    assert (status, found) == (200, posted)
    assert not (home / "running.json").exists()


def test_a_stop_during_the_first_start_leaves_nothing_half_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with program([REFERRALS, "up", "--home", home, "--port", "0"]) as interrupted:
        while not (home / "postgres.new").exists():
            time.sleep(0.01)
        family = descendants(interrupted.process.pid)
        assert interrupted.stop() == 0
        assert all_gone(family, 0)
    assert not (home / "postgres").exists()
    with up(home) as afterwards:
        assert sorted(afterwards.keys()) == sorted(ROLES)


def test_servers_that_exist_are_used_instead_of_embedded_ones(
    tmp_path: Path, new_database: Callable[[str], Settings], broker: Redis
) -> None:
    settings = new_database("existing")
    servers = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    with up(tmp_path / "home", env=os.environ | servers) as first:
        assert sorted(first.processes()) == sorted(PROCESSES)
        key = first.keys()["submitter"]
        assert request(f"{first.url}/v1/intakes", key, RED_FLAG)[0] == 200
        assert broker.dbsize()
    with program([REFERRALS, "up", "--home", tmp_path / "other", "--port", "0"], env=os.environ | servers) as stranger:
        assert stranger.wait() == 1
    assert "IDENTITY_KEYS do not open the identities in this database" in "".join(stranger.said)


def posted_link(intake: dict[str, str]) -> str:
    return f"/v1/intakes/{intake['id']}"
