"""The registry of problem types is whole: what is raised stands in it, and what stands in it is raised."""

import ast
from pathlib import Path

from services.api.http.problems import TITLES
from services.api.openapi.problem_types import BY_KIND, MEMBERS, PROBLEM_TYPES

API = Path(__file__).parents[2] / "services" / "api"
NAMES = {"status", "detail", "kind", "headers"}
CONSOLE_ALONE = {("csrf", 403)}  # answered as a page of the console, never by the API


def raised():
    """Yield kind, status and members of every problem that the API raises, as written in the code."""
    for path in API.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "ProblemError"
            ):
                status = node.args[0]
                if isinstance(status, ast.Constant):
                    given = {each.arg: each.value for each in node.keywords}
                    title = TITLES[status.value][0].lower().replace(" ", "-")
                    kind = given["kind"].value if "kind" in given else title
                    members = {name for name in given if name is not None} - NAMES
                    yield kind, status.value, members, path


def test_every_problem_that_is_raised_is_registered():
    found = list(raised())
    assert len(found) > 40
    for kind, status, members, path in found:
        if (kind, status) in CONSOLE_ALONE:
            assert "console" in path.parts
            continue
        assert kind in BY_KIND, f"{kind} of {path} is not registered"
        assert status in BY_KIND[kind].statuses, (kind, status, path)
        assert members <= {*BY_KIND[kind].members}, (kind, members, path)


def test_every_status_has_a_registered_kind_by_its_title():
    for status, (title, _) in TITLES.items():
        assert status in BY_KIND[title.lower().replace(" ", "-")].statuses


def test_nothing_is_registered_that_is_not_raised():
    by_title = {title.lower().replace(" ", "-") for title, _ in TITLES.values()}
    own = {kind for kind, *_ in raised()} | {"validation"}  # InvalidError has that one
    assert set(BY_KIND) - by_title == own - by_title - {kind for kind, _ in CONSOLE_ALONE}


def test_each_kind_stands_once_and_its_members_are_described():
    assert len(BY_KIND) == len(PROBLEM_TYPES)
    for problem in PROBLEM_TYPES:
        assert set(problem.members) <= {*MEMBERS, "errors"}
