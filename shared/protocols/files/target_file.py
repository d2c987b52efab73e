"""The file `targets.yaml`: how soon people answer, and what happens when they do not."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from shared.clinical.referral.lifecycle import PRIORITIES
from shared.clinical.referral.targets import Rung, Target, Targets
from shared.protocols.documents import Document
from shared.protocols.references import References
from shared.protocols.schemas import FILLED, Text, choice

PATH = "targets.yaml"


def _count(**settings: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(min=1), **settings)


def _minutes() -> fields.Dict:
    return fields.Dict(keys=Text(), values=_count(required=True))


class RungSchema(Schema):
    """One step of the ladder."""

    after_minutes = _count(required=True)
    action = Text(required=True)


class TargetSchema(Schema):
    """One priority."""

    acknowledge_minutes = _count()
    acknowledge_working_days = _count()
    contact_minutes = _count(required=True, allow_none=True)
    contact_minutes_for_flags = _minutes()
    contact_minutes_for_floors = _minutes()
    contact_minutes_for_patterns = _minutes()
    fhir_priority = choice("stat", "asap", "urgent", "routine", required=True)
    ladder = fields.List(fields.Nested(RungSchema), required=True)
    ambulance_for_rules = fields.List(Text(), validate=FILLED)
    imaging_and_specialist_days = _count()
    specialist_soon_days = _count()
    specialist_days = _count()
    ceiling_days = _count()

    @validates_schema
    def _has_one_clock(self, data: dict[str, Any], **_: Any) -> None:
        if ("acknowledge_minutes" in data) == ("acknowledge_working_days" in data):
            raise ValidationError("Give acknowledge_minutes or acknowledge_working_days, one of them.")


class TargetsSchema(Schema):
    """The whole file."""

    source = Text(required=True)
    effective_from = fields.Date(required=True)
    clock = fields.Dict(keys=Text(), values=Text(), required=True)
    classes = fields.Dict(keys=choice(*PRIORITIES), values=fields.Nested(TargetSchema), required=True)
    imaging_within_minutes = fields.Dict(keys=Text(), values=_count(allow_none=True), required=True)

    @validates_schema
    def _names_every_priority(self, data: dict[str, Any], **_: Any) -> None:
        missing = set(PRIORITIES) - set(data.get("classes", PRIORITIES))
        if missing:
            raise ValidationError({"classes": [f"Missing: {', '.join(sorted(missing))}."]})


SCHEMAS = {PATH: TargetsSchema()}


def build(documents: Mapping[str, Document], references: References) -> Targets | None:
    """Return the targets, or None after noting why the file cannot be used."""
    document = documents[PATH]
    if not document.well_shaped:
        return None
    said = document.said
    within = said["imaging_within_minutes"]
    references.known(f"{PATH}: imaging_within_minutes", "time", within, references.times)
    for priority, target in said["classes"].items():
        path = f"{PATH}: classes.{priority}.ambulance_for_rules"
        references.known(path, "rule", target.get("ambulance_for_rules", ()), references.vocabulary.rules)
    classes = {priority: _target(target) for priority, target in said["classes"].items()}
    return Targets(said["effective_from"], said["clock"], classes, within)


def _target(said: Mapping[str, Any]) -> Target:
    ladder = tuple(Rung(**rung) for rung in said["ladder"])
    rules = tuple(said.get("ambulance_for_rules", ()))
    return Target(**{**said, "ladder": ladder, "ambulance_for_rules": rules})
