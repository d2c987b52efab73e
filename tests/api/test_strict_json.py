"""A body that two parsers could read differently is refused before anything looks at its meaning."""

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import func, select

from services.api.http.parsing.strict_json import MAX_BYTES, NotStrictError, parse
from shared.tables import Intake
from tests.api.test_intakes import MINIMAL

FORM = json.dumps(MINIMAL)


def with_history(value: str) -> bytes:
    return (FORM[:-1] + f', "history": {value}}}').encode()


NOT_STRICT = {
    "empty": b"",
    "blank": b"  \n",
    "cut off": FORM[:-1].encode(),
    "two values": (FORM + FORM).encode(),
    "trailing comma": with_history('{"cancer": "none",}'),
    "comment": with_history("/* none */ {}"),
    "single quotes": b"{'patient': 1}",
    "duplicate key": with_history('{"cancer": "none", "cancer": "current"}'),
    "duplicate key, escaped": with_history('{"cancer": "none", "c\\u0061ncer": "current"}'),
    "duplicate section": (FORM[:-1] + ', "patient": {}}').encode(),
    "NaN": with_history('{"cancer": NaN}'),
    "Infinity": with_history('{"cancer": Infinity}'),
    "minus Infinity": with_history('{"cancer": -Infinity}'),
    "overflow": with_history('{"cancer": 1e999}'),
    "negative overflow": with_history('{"cancer": -1e999}'),
    "byte order mark": b"\xef\xbb\xbf" + FORM.encode(),
    "UTF-16": FORM.encode("utf-16"),
    "UTF-16 without mark": FORM.encode("utf-16-le"),
    "Latin-1": with_history('{"cancer": "é"}').decode().encode("latin-1"),
    "encoded surrogate": with_history('{"cancer": "@"}').replace(b"@", b"\xed\xa0\x80"),
    "lone surrogate": with_history('{"cancer": "\\ud800"}'),
    "lone low surrogate": with_history('{"cancer": "\\uDC00 x"}'),
    "surrogate in a key": with_history('{"\\udfff": 1}'),
    "raw control character": with_history('{"cancer": "a\x01"}'),
    "raw line break in a text": with_history('{"cancer": "a\nb"}'),
    "leading zero": with_history('{"cancer": 01}'),
    "bare point": with_history('{"cancer": .5}'),
    "depth 13": with_history("[" * 12 + "]" * 12),
    "depth 1,000": with_history("[" * 1000 + "]" * 1000),
    "depth 60,000": b"[" * 60_000,
}


@pytest.mark.parametrize("content", NOT_STRICT.values(), ids=NOT_STRICT.keys())
def test_not_strict_json_is_400(content, submitter):
    answer = submitter.send("/v1/intakes", content)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"] == "urn:psoas:problem:not-strict-json"


STRICT = {
    "depth 12": (with_history("[" * 11 + "]" * 11), "/history"),
    "many digits": (with_history('{"cancer": ' + "9" * 5000 + "}"), "/history/cancer"),
    "escaped NUL": (with_history('{"cancer": "\\u0000"}'), "/history/cancer"),
    "pair of surrogates": (with_history('{"cancer": "\\ud83d\\ude00"}'), "/history/cancer"),
    "escaped backslash before u": (with_history('{"cancer": "\\\\ud800"}'), "/history/cancer"),
    "200 items and more": (with_history(json.dumps(list(range(201)))), "/history"),
    "brackets in a text": (with_history('{"cancer": "' + "[{" * 50 + '"}'), "/history/cancer"),
}


@pytest.mark.parametrize(("content", "pointer"), STRICT.values(), ids=STRICT.keys())
def test_what_is_json_but_impossible_here_is_422(content, pointer, submitter):
    answer = submitter.send("/v1/intakes", content)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_64_kib_are_the_limit(submitter):
    padded = FORM + " " * (MAX_BYTES - len(FORM))
    assert submitter.send("/v1/intakes", padded.encode()).status_code == 202
    answer = submitter.send("/v1/intakes", (padded + " ").encode())
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"


def test_a_body_that_ends_before_its_length_is_400(submitter, sessions):
    longer = {"CONTENT_LENGTH": str(len(FORM) + 1), "wsgi.input_terminated": True}  # as the server hands it on
    answer = submitter.client.post(
        "/v1/intakes",
        data=FORM,
        headers={"Authorization": f"Bearer {submitter.key}", "Content-Type": "application/json"},
        environ_overrides=longer,
    )
    assert answer.status_code == 400
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Intake)) == 0


@pytest.mark.parametrize("media_type", ["text/plain", "text/json", "application/xml", "application/fhir+json", ""])
def test_another_media_type_is_415(media_type, submitter):
    answer = submitter.send("/v1/intakes", FORM.encode(), Content_Type=media_type)
    assert answer.status_code == 415
    assert answer.content_type == "application/problem+json"


def test_another_charset_or_coding_is_415(submitter):
    latin = {"Content_Type": "application/json; charset=latin-1"}
    assert submitter.send("/v1/intakes", FORM.encode(), **latin).status_code == 415
    assert submitter.send("/v1/intakes", FORM.encode(), Content_Encoding="gzip").status_code == 415


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", 'application/json;charset="UTF-8"'])
def test_utf_8_may_be_said(media_type, submitter):
    assert submitter.send("/v1/intakes", FORM.encode(), Content_Type=media_type).status_code == 202


@pytest.mark.parametrize("path", ["/v1/triage/preview", "/v1/referrals/0197c9a0-0000-7000-8000-000000000000/complete"])
def test_every_body_is_read_as_strictly(path, submitter, operator):
    caller = submitter if "preview" in path else operator
    assert caller.send(path, b'{"by": "A", "by": "B"}').status_code == 400
    assert caller.send(path, b"{}", Content_Type="text/plain").status_code == 415
    assert caller.send(path, b" " * (MAX_BYTES + 1)).status_code == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(JSON)
def test_strict_json_reads_as_what_it_says(value):
    assert parse(json.dumps(value).encode()) == value


@given(st.binary(max_size=40) | st.text(alphabet='[]{}",:0123456789.eE-+\\u truefalsn').map(str.encode))
@example(b"0E0")
def test_any_bytes_are_read_or_refused(content):
    with suppress(NotStrictError):
        assert kind(parse(content)) is kind(json.loads(content))  # of a huge integer only that it is one


def kind(value):
    """Return the type of a value; a whole number is an integer, however it is written."""
    return int if isinstance(value, float) and value.is_integer() else type(value)
