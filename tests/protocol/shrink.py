"""The smallest form on which two decisions still differ, for a message a person can read."""

import copy
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from .bodies import Body
from .decisions import Result, reading, service


def differences(body: Any, today: date) -> dict[str, tuple[Any, Any]]:
    """Field by field: what the reading says and what the service says."""
    return compared(reading(body, today), service(body, today))


def compared(expected: Result, found: Result) -> dict[str, tuple[Any, Any]]:
    return {name: (expected[name], found[name]) for name in found if expected[name] != found[name]}


def smallest(body: Body, differs: Callable[[Body], bool]) -> Body:
    """Take sections and answers away, again and again, while the difference stays."""
    shorter = next((less for less in one_less(body) if differs(less)), None)
    while shorter is not None:
        body = shorter
        shorter = next((less for less in one_less(body) if differs(less)), None)
    return body


def one_less(body: Body) -> Iterator[Body]:
    for section in body:
        yield {name: value for name, value in body.items() if name != section}
    for section, answers in body.items():
        for field in answers if isinstance(answers, dict) else ():
            less = copy.deepcopy(body)
            del less[section][field]
            yield less
