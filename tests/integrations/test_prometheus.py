"""A real Prometheus reads a running service, takes the alerts, and has an answer to each query of the dashboard."""

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.referrals import RED_FLAG, Up, request, up

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
PANELS = json.loads((ROOT / "deploy/grafana/psoas.json").read_text())["panels"]
READY_SECONDS = 60


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("up") / "home") as started:
        assert request(f"{started.url}/v1/intakes", started.keys()["submitter"], RED_FLAG)[0] == 200
        yield started


@pytest.fixture(scope="module")
def prometheus(running: Up, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that has read the service three times."""
    program = shutil.which("prometheus")
    assert program, "Prometheus is missing: apt-get install prometheus"
    folder = tmp_path_factory.mktemp("prometheus")
    environment = json.loads((running.home / "running.json").read_text())["environment"]
    (folder / "token").write_text(environment["METRICS_TOKEN"])
    scrape = {
        "job_name": "psoas",
        "scrape_interval": "1s",
        "authorization": {"credentials_file": str(folder / "token")},
        "static_configs": [{"targets": [running.url.removeprefix("http://")]}],
    }
    configuration = {"rule_files": [str(ALERTS)], "scrape_configs": [scrape]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        program,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_read(address)
            yield address
        finally:
            process.terminate()


def wait_until_read(address: str) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            if any(float(each["value"][1]) >= 3 for each in query(address, 'count_over_time(up{job="psoas"}[1m])')):
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError("Prometheus has not read the service")


def query(address: str, expression: str) -> list[Any]:
    asked = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{address}/api/v1/query?{asked}", timeout=10) as answer:  # noqa: S310 - our own
        content = json.load(answer)
    assert content["status"] == "success"
    found: list[Any] = content["data"]["result"]
    return found


def test_the_service_is_read_with_its_token(prometheus: str) -> None:
    assert [each["value"][1] for each in query(prometheus, 'up{job="psoas"}')] == ["1"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_each_panel_has_numbers(prometheus: str, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        found = query(prometheus, target["expr"])
        assert found or "> 0" in target["expr"] or "delivery_seconds" in target["expr"]


def test_prometheus_takes_the_alerts_and_none_of_them_pages(prometheus: str) -> None:
    with urllib.request.urlopen(f"{prometheus}/api/v1/rules", timeout=10) as answer:  # noqa: S310 - our own
        (group,) = json.load(answer)["data"]["groups"]
    rules = {rule["name"]: rule for rule in group["rules"]}
    assert len(rules) == len(yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"])
    assert {name for name, rule in rules.items() if rule["state"] == "firing"} == set()
    assert {name for name, rule in rules.items() if rule.get("lastError")} == set()
