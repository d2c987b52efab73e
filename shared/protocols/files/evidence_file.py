"""The file `evidence.yaml`: points for nerve, muscle and joint."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from shared.clinical.evidence import TABLES, Evidence, Line
from shared.protocols.documents import Document
from shared.protocols.references import References
from shared.protocols.schemas import FILLED, Text

PATH = "evidence.yaml"


def _positive() -> fields.Integer:
    return fields.Integer(strict=True, required=True, validate=validate.Range(min=1))


class LineSchema(Schema):
    """One line of a table."""

    points = _positive()
    condition = Text(required=True)
    why = Text(required=True)
    citation = fields.List(Text(), required=True, validate=FILLED)


def _table() -> fields.List[Any]:
    return fields.List(fields.Raw(), required=True, validate=FILLED)


class EvidenceSchema(Schema):
    """The tables, whose lines are read one by one, and the numbers of the tie-breaks."""

    source = Text(required=True)
    threshold = _positive()
    lead = _positive()
    nerve = _table()
    hoover = _table()
    strain = _table()
    disuse = _table()
    joint = _table()


SCHEMAS = {PATH: EvidenceSchema()}


def build(documents: Mapping[str, Document], references: References) -> Evidence:
    """Return the evidence with its conditions compiled."""
    document = documents[PATH]
    tables = {table: tuple(_lines(document, table, references)) for table in TABLES}
    return Evidence(document.said.get("threshold", 1), document.said.get("lead", 1), tables)


def _lines(document: Document, table: str, references: References) -> Iterator[Line]:
    for _, path, said in document.entries(table, LineSchema()):
        condition = references.condition(f"{path}.condition", said["condition"])
        yield Line(said["points"], condition, said["why"], references.citation(f"{path}.citation", said["citation"]))
