"""What somebody who runs the service sees of it: metrics, `doctor`, `watch`, and what a disk that fills up does."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from shared.monitoring.disk_level import MIB
from shared.monitoring.periodic import ROLES
from shared.platform.settings import Settings
from tests.cases import case_for
from tests.referrals import Up, referrals, request, up

ROUTINE, RED = case_for("clinical_review", "routine").body(), case_for("urgent").body()


def scrape(running: Up) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    token = (running.home / "secrets" / "metrics_token").read_text().strip()
    asked = urllib.request.Request(f"{running.url}/metrics", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with closing(urllib.request.urlopen(asked, timeout=10)) as answer:  # noqa: S310
        families = list(text_string_to_metric_families(answer.read().decode()))
    assert all(family.documentation for family in families)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def number(running: Up, name: str, **labels: str) -> float:
    return scrape(running).get((name, frozenset(labels.items())), 0.0)


def eventually(condition: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def test_every_process_counts_where_the_api_shows_it(running: Up, keys: dict[str, str]) -> None:
    request(f"{running.url}/v1/intakes", keys["submitter"], RED)
    request(f"{running.url}/v1/intakes", keys["submitter"], ROUTINE)
    eventually(lambda: number(running, "psoas_routing_seconds_count", lane="routine") == 1)
    assert number(running, "psoas_routing_seconds_count", lane="priority") == 1
    assert number(running, "psoas_intake_seconds_count", outcome="accepted") == 2
    assert number(running, "psoas_referrals_open", queue="urgent") == 1
    eventually(lambda: [number(running, "psoas_processes", role=role) for role in ROLES] == [1] * len(ROLES))


def test_a_count_survives_the_process_that_counted(running: Up, keys: dict[str, str]) -> None:
    before = number(running, "psoas_routing_seconds_count", lane="priority")
    os.kill(running.processes()["urgent"], signal.SIGKILL)
    running.wait_for("^urgent is back", 40)
    request(f"{running.url}/v1/intakes", keys["submitter"], RED)
    eventually(lambda: number(running, "psoas_routing_seconds_count", lane="priority") == before + 1)


def test_doctor_finds_all_well_but_what_nobody_has_set_up(running: Up, home: Path) -> None:
    eventually(lambda: all(number(running, "psoas_processes", role=role) for role in ROLES))
    said = referrals("doctor", "--home", home, "--json")
    found = {finding["check"]: finding for finding in json.loads(said.stdout)}
    assert {check: finding for check, finding in found.items() if finding["state"] == "fail"} == {}
    assert {check for check, finding in found.items() if finding["state"] == "warn"} <= {"destinations", "escalation"}
    assert said.returncode == 0
    assert {f"process {role}" for role in ROLES} <= set(found)
    assert found["metrics"]["says"] == f"its token is in {home / 'secrets' / 'metrics_token'}"
    lines = referrals("doctor", "--home", home).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [finding["state"] for finding in found.values()]


def test_watch_shows_the_queues(running: Up, keys: dict[str, str], home: Path) -> None:
    request(f"{running.url}/v1/intakes", keys["submitter"], RED)
    shown = referrals("watch", "--once", "--home", home).stdout
    assert "\x1b" not in shown
    (urgent,) = (line.split() for line in shown.splitlines() if line.startswith("urgent "))
    assert int(urgent[1]) == int(urgent[2]) >= 1
    assert "priority" in shown
    assert "watchman 1" in shown


def test_doctor_says_what_is_not_well(
    new_database: Callable[[str], Settings], environment: dict[str, str], broker: Redis
) -> None:
    """Nothing is migrated, and nothing is at work."""
    said = referrals("doctor", "--json", env=environment | {"DATABASE_URL": new_database("unwell").database_url})
    found = {finding["check"]: finding["state"] for finding in json.loads(said.stdout)}
    assert said.returncode == 1
    assert (found["database"], found["schema"], found["broker"]) == ("ok", "fail", "ok")
    broker.config_set("maxmemory-policy", "allkeys-lru")
    try:
        said = referrals("doctor", "--json", env=environment)
    finally:
        broker.config_set("maxmemory-policy", "noeviction")
    found = {finding["check"]: finding["state"] for finding in json.loads(said.stdout)}
    assert found["broker"] == "fail"
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    said = referrals("doctor", env=environment | away)
    assert said.returncode == 1
    assert [line.split()[:2] for line in said.stdout.splitlines() if line.startswith("fail")] == [
        ["fail", "broker"],
        ["fail", "database"],
    ]
    assert "is missing" not in said.stderr
    assert referrals("doctor", env=environment | {"LOOKUP_KEY": "short"}).stdout.startswith("fail  settings")


def test_doctor_misses_who_is_not_at_work(environment: dict[str, str], engine: object) -> None:  # noqa: ARG001
    said = referrals("doctor", "--json", env=environment)
    found = {finding["check"]: finding for finding in json.loads(said.stdout)}
    assert said.returncode == 1
    assert {found[f"process {role}"]["state"] for role in ROLES} == {"fail"}
    assert all(finding["do"] for finding in found.values() if finding["state"] != "ok")


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[Path]:
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk; with a quota the same is shown for all")
def test_forms_are_refused_before_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 400 * MIB) as disk, up(disk / "home") as running:
        key = running.keys()["submitter"]

        def fill(left: int) -> None:
            (disk / "ballast").unlink(missing_ok=True)
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            with (disk / "ballast").open("wb") as ballast:
                os.posix_fallocate(ballast.fileno(), 0, max(1, free - left))

        refuses_as_it_fills(running, key, fill)


def test_forms_are_refused_before_the_quota_is_used_up(tmp_path: Path) -> None:
    """A new database has about 8 MiB, so this quota leaves it less than it should have from the start."""
    with up(tmp_path / "home", env=os.environ | {"DATABASE_MOST_GB": "0.06"}) as running:
        key = running.keys()["submitter"]
        eventually(lambda: request(f"{running.url}/v1/intakes", key, ROUTINE)[0] == 503)
        status, said = request(f"{running.url}/v1/intakes", key, ROUTINE)
        assert (status, said["type"]) == (503, "urn:psoas:problem:storage-low")
        assert request(f"{running.url}/v1/intakes", key, RED)[0] == 200
        assert request(f"{running.url}/health/ready", key)[1]["degraded"] == ["storage"]


def refuses_as_it_fills(running: Up, key: str, fill: Callable[[int], None]) -> None:
    def statuses() -> list[int]:
        return [request(f"{running.url}/v1/intakes", key, form)[0] for form in (ROUTINE, RED)]

    for left, expected in ((200 * MIB, [200, 200]), (50 * MIB, [503, 200]), (20 * MIB, [503, 503])):
        fill(left)
        eventually(lambda: statuses() == expected)  # noqa: B023 - asked at once
    fill(200 * MIB)
    eventually(lambda: statuses() == [200, 200])
