"""The operator's kit fits the service: metrics, sections of the runbook and routes that are named are there."""

import json
import re
from pathlib import Path

import pytest
import yaml

from shared.monitoring import exposition
from shared.platform import metrics

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
PANELS = json.loads((ROOT / "deploy/grafana/psoas.json").read_text())["panels"]
GATEWAY = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/gateway/gateway.yaml").read_text()))
SOURCES = "".join(Path(module.__file__).read_text() for module in (exposition, metrics))
SUFFIXES = re.compile(r"_(total|count|sum|bucket)$")


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as they are made where Markdown is shown."""
    headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_its_section_of_the_runbook(rule):
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert page == "runbook.md"
    assert anchor in anchors("docs/runbook.md")


def names_in(expression: str) -> set[str]:
    return {SUFFIXES.sub("", name) for name in re.findall(r"psoas_\w+", expression)}


def test_alerts_and_dashboard_ask_for_metrics_that_exist():
    asked = {name for rule in RULES for name in names_in(rule["expr"])}
    asked |= {name for panel in PANELS for target in panel["targets"] for name in names_in(target["expr"])}
    made = {f"psoas_referrals_{name}" for name in re.findall(r'^\s+\("?(\w+)",', SOURCES, re.MULTILINE)}
    made |= {f"psoas_referrals_{name}" for name in ("open", "unacknowledged", "overdue", "oldest_age_seconds")}
    made |= set(re.findall(r'"(psoas_\w+)"', SOURCES))
    assert asked <= made


def test_the_gateway_has_the_routes_of_the_ingresses():
    manifests = yaml.safe_load_all((ROOT / "deploy/kubernetes/api.yaml").read_text())
    ingresses = [each for each in manifests if each["kind"] == "Ingress"]
    paths = {
        (path["path"], path["backend"]["service"]["name"])
        for ingress in ingresses
        for path in ingress["spec"]["rules"][0]["http"]["paths"]
    }
    route = next(each for each in GATEWAY if each["kind"] == "HTTPRoute")
    routed = {(rule["matches"][0]["path"]["value"], rule["backendRefs"][0]["name"]) for rule in route["spec"]["rules"]}
    assert routed == paths


def test_the_unit_starts_the_command_that_there_is():
    unit = (ROOT / "deploy/systemd/psoas.service").read_text()
    assert "referrals up --home /srv/psoas --port 8080 --log-json" in unit
