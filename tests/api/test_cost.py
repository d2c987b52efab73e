"""No body of 64 KiB costs the API much more than a good one, whatever stands in it: CPU by ratio, not by a clock.

A cost that grows with the square of the length is a ratio of thousands here.
"""

import json
import time

import pytest

from services.api.http.parsing.strict_json import MAX_BYTES
from tests.api.test_intakes import MINIMAL
from tests.cases import cases

MAX_TIMES_A_GOOD_ONE = 5
TAKES = 7
CASE = max((case.body() for case in cases()), key=lambda body: len(json.dumps(body)))
# Texts of several lines are the only ones that may be long: the largest good form is mostly escapes of one.
GOOD = json.dumps({**CASE, "encounter": {**CASE["encounter"], "free_text": "\U0001f600 ok, " * 660}}).encode()
BRACKETS = b"[]" * 13


def of_64_kib(head: bytes, unit: bytes, feed_follower: bytes = b"") -> bytes:
    return head + unit * ((MAX_BYTES - len(head) - len(feed_follower)) // len(unit)) + feed_follower


def with_text(text: str) -> bytes:
    return json.dumps({**MINIMAL, "encounter": {"free_text": text[:4000]}}).encode()


def numbered(head: str, member: str, feed_follower: str) -> bytes:
    count = (MAX_BYTES - len(head) - len(feed_follower)) // (len(member % 0) + 1)
    return (head + ",".join(member % number for number in range(count)) + feed_follower).encode()


WORST = {
    # a string that never ends
    "escaped quotes": of_64_kib(BRACKETS, b'\\"'),
    "escaped quotes in a string": of_64_kib(BRACKETS + b'"', b'\\"'),
    "escaped quotes after open brackets": of_64_kib(b"[" * 13, b'\\"'),
    "backslashes": of_64_kib(BRACKETS + b'"', b"\\"),
    "quotes": of_64_kib(BRACKETS, b'"'),
    "one open string": of_64_kib(BRACKETS + b'"', b"x"),
    # brackets
    "opening": of_64_kib(b"", b"["),
    "opening both": of_64_kib(b"", b'[{"":'),
    "closing": of_64_kib(BRACKETS, b"]"),
    "lists": of_64_kib(b"[0", b",[]", b"]"),
    "lists 12 deep": of_64_kib(b"[0", b"," + b"[" * 11 + b"]" * 11, b"]"),
    "objects": of_64_kib(b"[0", b",{}", b"]"),
    "objects with a key": of_64_kib(b"[0", b',{"":0}', b"]"),
    "objects in objects": of_64_kib(b"[0", b',{"":{"":{"":{}}}}', b"]"),
    "brackets in strings": of_64_kib(b"[0", b',"[{"', b"]"),
    # scalars, many or long
    "empty strings": of_64_kib(b"[" + b"[]," * 13 + b"0", b',""', b"]"),
    "integers": of_64_kib(b"[0", b",1", b"]"),
    "floats": of_64_kib(b"[0", b",1e1", b"]"),
    "large integers": of_64_kib(b"[0", b"," + b"9" * 19, b"]"),
    "one integer": of_64_kib(b"[", b"9", b"]"),
    "one fraction": of_64_kib(b"[0.", b"9", b"]"),
    "one long float": of_64_kib(b"[", b"9", b".5]"),
    "one exponent": of_64_kib(b"[1e", b"0", b"1]"),
    "escapes": of_64_kib(b'["', b"\\u0001", b'"]'),
    "surrogates": of_64_kib(b'["', b"\\ud83d\\ude00", b'"]'),
    "lone surrogates": of_64_kib(b'["', b"\\ud83d", b'"]'),
    "spaces": of_64_kib(b"[", b"\n", b"]"),
    "an error at the end": of_64_kib(b"[", b"\n", b"x"),
    # keys
    "one key": of_64_kib(b'{"":0', b',"":0', b"}"),
    "unknown keys": numbered("{", '"%05d":0', "}"),
    "unknown keys of a section": numbered('{"history":{', '"k%05d":0', "}}"),
    "unknown keys that are not named": numbered("{", '"%06d ":0', "}"),
    "a long key": of_64_kib(b'{"', b"k", b'":0}'),
    # what is JSON, and a field has to refuse or read
    "a long text": of_64_kib(b'{"encounter":{"free_text":"', b"a", b'"}}'),
    "a long language": of_64_kib(b'{"encounter":{"interpreter_language":"', b"aa-", b'"}}'),
    "a long birth date": of_64_kib(b'{"patient":{"birth_date":"', b"1", b'"}}'),
    "a long moment": of_64_kib(b'{"encounter":{"submitted_at":"', b"2026-11-23T", b'"}}'),
    "a long id": of_64_kib(b'{"amends":"', b"a", b'"}'),
    "characters that grow": with_text("\ufdfa" * 4000),  # each is eighteen in the normal form
    "marks to be put in order": with_text("a" + "\u0323\u0307" * 2000),
    "invisible characters": with_text("\u00ad" * 4000),
}


def times_a_good_one(caller, content: bytes) -> float:
    """Return how many times the CPU seconds of a good form a body costs: the least of some takes of each, in turn."""
    assert caller.send("/v1/triage/preview", GOOD).status_code == 200
    takes: dict[bytes, list[float]] = {GOOD: [], content: []}
    for _ in range(TAKES):
        for body, seconds in takes.items():
            began = time.process_time()
            caller.send("/v1/triage/preview", body)
            seconds.append(time.process_time() - began)
    return min(takes[content]) / min(takes[GOOD])


@pytest.mark.no_cover  # tracing would cost one more than another
@pytest.mark.parametrize("content", WORST.values(), ids=WORST.keys())
def test_the_worst_bodies_cost_little_more_than_a_good_one(content, submitter):
    assert len(content) <= MAX_BYTES
    assert times_a_good_one(submitter, content) <= MAX_TIMES_A_GOOD_ONE
