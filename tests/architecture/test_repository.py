"""What stands around the code agrees with it: version, CI, hooks, and what editors and templates name."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
MAKEFILE = (ROOT / "Makefile").read_text()
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").iterdir()}


def test_every_place_names_the_same_version():
    (image,) = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())["images"]
    document = json.loads((ROOT / "services/api/openapi.json").read_text())
    assert {image["newTag"], document["info"]["version"]} == {VERSION}


def test_the_newest_section_of_the_changelog_is_this_version_or_unreleased():
    newest = re.search(r"^## \[?([^]\s]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert newest in ("Unreleased", VERSION)


def test_the_workflow_runs_ci_as_root_with_the_whole_history():
    checkout, _, run = WORKFLOWS["ci.yml"]["jobs"]["test"]["steps"]
    assert checkout["with"]["fetch-depth"] == 0
    assert re.fullmatch(r"sudo .* \.ci/run", run["run"])


def test_ci_takes_every_target_that_tests():
    (listed,) = re.findall(r"^targets=\((.+)\)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    described = re.findall(r"^(test[a-z-]*):.*##", MAKEFILE, re.MULTILINE)
    assert sorted(listed.split()) == sorted(described)


def test_every_folder_of_tests_is_run_by_some_target():
    recipes = re.findall(r"^test[a-z-]*:.*\n((?:\t.+\n)+)", MAKEFILE, re.MULTILINE)
    assert set(re.findall(r"tests/(\w+)", "".join(recipes))) == {
        path.parent.name for path in ROOT.glob("tests/*/test_*.py")
    }


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_workflows_call_only_targets_that_exist(workflow):
    steps = [step for job in WORKFLOWS[workflow]["jobs"].values() for step in job["steps"]]
    called = re.findall(r"make ([a-z-]+)", " ".join(step.get("run", "") for step in steps))
    assert [target for target in called if not re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)] == []


def test_hooks_use_the_tools_of_make_lint():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = {hook["entry"].removeprefix(".venv/").removesuffix(" --fix") for hook in repository["hooks"]}
    checked = set(re.findall(r"^\tnice \$\(BIN\)/(.+?)(?: --check)?(?: \.)?$", MAKEFILE, re.MULTILINE))
    assert {entry.removeprefix("bin/") for entry in entries} == {line for line in checked if "pytest" not in line}
