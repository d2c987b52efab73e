"""The file `facts.yaml`: named conditions."""

from collections.abc import Mapping

from marshmallow import Schema, validate

from shared.clinical.facts import COUNTED
from shared.clinical.protocol import Fact
from shared.protocols.documents import Document
from shared.protocols.references import References
from shared.protocols.schemas import Text, named

FACT_NAME = validate.Regexp(r"[A-Z][A-Z0-9_]*\Z", error="Not the name of a fact: capitals, digits and _.")


class FactsSchema(Schema):
    """All facts; they are read one by one."""

    source = Text(required=True)
    facts = named(FACT_NAME)


class FactSchema(Schema):
    """One fact."""

    means = Text(required=True)
    condition = Text(required=True)


SCHEMAS = {"facts.yaml": FactsSchema()}


def names(documents: Mapping[str, Document]) -> set[str]:
    """Return every fact that a condition may name: those of the file, and those that are counted."""
    return {*documents["facts.yaml"].names("facts"), *COUNTED}


def build(documents: Mapping[str, Document], references: References) -> dict[str, Fact]:
    """Return the facts of the file."""
    document = documents["facts.yaml"]
    for name in set(document.names("facts")) & set(COUNTED):
        document.faults.add(f"{document.path}: facts.{name}", "this name belongs to a fact that is counted")
    facts = {}
    for name, path, said in document.entries("facts", FactSchema()):
        condition = references.condition(f"{path}.condition", said["condition"])
        facts[name] = Fact(name, said["means"], condition)
        if condition.lookup:
            references.vocabulary.lookups[name] = condition.lookup
    return facts
