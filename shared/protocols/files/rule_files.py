"""The files `rules/*.yaml` and `owners.yaml`: red-flag rules, and who owns a referral with several."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from marshmallow import Schema, fields, validate

from shared.clinical.referral.lifecycle import PRIORITIES
from shared.clinical.rules import Origin, Rule
from shared.protocols.documents import Document
from shared.protocols.references import References
from shared.protocols.schemas import FILLED, Codes, Text, choice, named

RULE_NAME = validate.Regexp(r"[A-Z]{2}\d+[A-Z]?\Z", error="Not the id of a rule, such as XE12.")
FILES = {"rules/seed.yaml": False, "rules/emergency.yaml": False, "rules/urgent.yaml": False, "rules/late.yaml": True}


class RulesSchema(Schema):
    """Some rules; they are read one by one."""

    source = Text(required=True)
    rules = named(RULE_NAME)


class OwnersSchema(Schema):
    """The order of owners."""

    source = Text(required=True)
    owners = fields.List(Text(), required=True, validate=FILLED)


class ImagingLineShape(Schema):
    """A wish for a study."""

    study = Text(required=True)
    within = Text(required=True)
    when = Text()


class StatementSchema(Schema):
    """What rules, routes and floors have in common."""

    origin = choice(*get_args(Origin), required=True)
    headline = Text(required=True)
    condition = Text(required=True)
    why = Text(required=True)
    citation = fields.List(Text(), required=True, validate=FILLED)


class ResultSchema(StatementSchema):
    """What rules and routes have in common."""

    suspected = Text(required=True)
    send_to = Text(required=True, allow_none=True)
    imaging = fields.List(fields.Nested(ImagingLineShape), required=True)
    if_no_imaging = choice("not_indicated", "hold_for_review")
    codes = fields.Nested(Codes)


class RuleSchema(ResultSchema):
    """A red-flag rule: always of priority emergency or urgent."""

    flag = Text(validate.Regexp(r"RF_[A-Z_]+\Z"), required=True)
    priority = choice(*PRIORITIES[:2], required=True)


SCHEMAS: dict[str, Schema] = {**{path: RulesSchema() for path in FILES}, "owners.yaml": OwnersSchema()}


def names(documents: Mapping[str, Document]) -> list[str]:
    """Return the id of every rule."""
    return [name for path in FILES for name in documents[path].names("rules")]


def build(documents: Mapping[str, Document], references: References) -> dict[str, Rule]:
    """Return the rules of all files by their id."""
    _note_duplicates(documents)
    return {rule.id: rule for path, late in FILES.items() for rule in _rules(documents[path], late, references)}


def owners(documents: Mapping[str, Document], references: References) -> tuple[str, ...]:
    """Return the order of owners; every rule has exactly one place in it."""
    document = documents["owners.yaml"]
    order, rules = list(document.said.get("owners", ())), names(documents)
    references.known("owners.yaml: owners", "rule", order, rules)
    for name in rules:
        if order.count(name) != 1:
            document.faults.add("owners.yaml: owners", f"{name} stands {order.count(name)} times, not once")
    return tuple(order)


def result(path: str, said: dict[str, Any], references: References) -> dict[str, Any]:
    """Return what a rule or route says, with conditions compiled and sources named."""
    return {
        **said,
        **statement(path, said, references),
        "imaging": references.imaging(f"{path}.imaging", said["imaging"]),
        "if_no_imaging": said.get("if_no_imaging", "not_indicated"),
        "codes": {system: tuple(codes) for system, codes in said.get("codes", {}).items()},
    }


def statement(path: str, said: dict[str, Any], references: References) -> dict[str, Any]:
    """Return what a rule, route or floor says, with its condition compiled and its sources named."""
    return {
        **said,
        "condition": references.condition(f"{path}.condition", said["condition"]),
        "citation": references.citation(f"{path}.citation", said["citation"]),
    }


def _rules(document: Document, late: bool, references: References) -> Iterator[Rule]:
    for name, path, said in document.entries("rules", RuleSchema()):
        yield Rule(id=name, late=late, **result(path, said, references))


def _note_duplicates(documents: Mapping[str, Document]) -> None:
    first: dict[str, str] = {}
    for path in FILES:
        for name in documents[path].names("rules"):
            if first.setdefault(name, path) != path:
                documents[path].faults.add(f"{path}: rules.{name}", f"this id is taken in {first[name]}")
