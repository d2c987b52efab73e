"""In a home, `referrals audit` finds what is rewritten by SQL with the service's or the owner's own password."""

import json
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tests.referrals import RED_FLAG, Up, referrals, request


def addresses(home: Path) -> dict[str, str]:
    environment: dict[str, str] = json.loads((home / "running.json").read_text())["environment"]
    return environment


def audited(home: Path) -> tuple[int, dict[str, int]]:
    done = referrals("audit", "--json", "--home", home)
    said: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, {name: count for name, count in said["findings"].items() if count}


def wait_until_sealed(home: Path) -> None:
    deadline = time.monotonic() + 60
    query = "select (select max(number) from events) = (select number from chain_seals order by id desc limit 1)"
    with psycopg.connect(addresses(home)["DATABASE_URL"], autocommit=True) as connection:
        while connection.execute(query).fetchone() != (True,):
            assert time.monotonic() < deadline, "the watchman seals nothing"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def sealed(running: Up, keys: dict[str, str]) -> Path:
    for number in range(3):
        body = RED_FLAG | {"patient": {"mrn": f"MRN-{number}", "birth_date": "1980-01-01"}}
        assert request(f"{running.url}/v1/intakes", keys["submitter"], body)[0] == 200
    wait_until_sealed(running.home)
    assert audited(running.home) == (0, {})
    return running.home


def test_the_service_runs_as_a_role_of_its_own(sealed: Path, running: Up) -> None:
    given = addresses(sealed)
    with psycopg.connect(given["DATABASE_URL"]) as service, psycopg.connect(given["OWNER_DATABASE_URL"]) as owner:
        users = [each.execute("select current_user").fetchone() for each in (service, owner)]
        assert users == [("psoas_service",), ("psoas",)]
        connected = service.execute("select distinct usename from pg_stat_activity where application_name = 'psoas'")
        assert connected.fetchall() == [("psoas_service",)]
    for name, pid in running.processes().items():
        if name not in ("postgres", "valkey"):
            assert b"OWNER_DATABASE_URL" not in Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.parametrize(
    "statement", ["delete from events", "truncate events cascade", "alter table events disable trigger user"]
)
def test_its_password_does_not_open_the_past(sealed: Path, statement: str) -> None:
    with psycopg.connect(addresses(sealed)["DATABASE_URL"]) as service, pytest.raises(InsufficientPrivilege):
        service.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("role", "change", "back", "check"),
    [
        (
            "DATABASE_URL",
            "update referrals set priority = 3, queue = 'neurology' where priority = 0",
            "update referrals set priority = 0, queue = 'urgent' where queue = 'neurology'",
            "referral_changed",
        ),
        (
            "OWNER_DATABASE_URL",
            "update decisions set record = record || '{\"rewritten\": true}'",
            "update decisions set record = record - 'rewritten'",
            "referral_changed",
        ),
        (
            "OWNER_DATABASE_URL",
            "update intakes set answers = answers || '{\"rewritten\": true}'",
            "update intakes set answers = answers - 'rewritten'",
            "referral_changed",
        ),
        (
            "DATABASE_URL",
            "insert into api_keys (id, secret_hash, role) values ('mine', sha256('mine'), 'admin')",
            "update api_keys set revoked_at = now() where id = 'mine'",
            "key_not_issued",
        ),
    ],
)
def test_what_is_rewritten_is_found(sealed: Path, role: str, change: str, back: str, check: str) -> None:
    with psycopg.connect(addresses(sealed)[role], autocommit=True) as connection:
        connection.execute(change)  # type: ignore[arg-type]
        code, found = audited(sealed)
        assert (code, found.keys() - {"queue_miscounted"}) == (1, {check})
        connection.execute(back)  # type: ignore[arg-type]
    assert audited(sealed) == (0, {})


def test_the_head_is_signed_into_the_home(sealed: Path) -> None:
    lines = (sealed / "chain-heads.jsonl").read_text().splitlines()
    assert lines
    assert {"number", "digest", "signature", "public_key"} <= json.loads(lines[-1]).keys()
