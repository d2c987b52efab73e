"""Puts the files of a protocol together, and checks what only all of them together can show."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from marshmallow import Schema

from shared.clinical import facts as counted
from shared.clinical.fields import FormDefinition
from shared.clinical.logic.conditions import Vocabulary
from shared.clinical.logic.truth import Condition
from shared.clinical.protocol import Protocol
from shared.clinical.text_check.check import TextCheck
from shared.clinical.text_check.phrases import Phrases
from shared.protocols.documents import Document
from shared.protocols.faults import Faults
from shared.protocols.files import (
    ask_file,
    evidence_file,
    fact_file,
    form_files,
    head_files,
    imaging_file,
    phrase_file,
    route_file,
    rule_files,
    target_file,
    text_file,
)
from shared.protocols.references import References

SCHEMAS: dict[str, Schema] = {
    **head_files.SCHEMAS,
    **form_files.SCHEMAS,
    **fact_file.SCHEMAS,
    **rule_files.SCHEMAS,
    **route_file.SCHEMAS,
    **evidence_file.SCHEMAS,
    **imaging_file.SCHEMAS,
    **target_file.SCHEMAS,
}
# Versions before 2026.2.0 have a list of phrases, later ones a check of words and the questions to be asked next.
PHRASES: dict[str, Schema] = {**phrase_file.SCHEMAS}
TEXT_CHECK: dict[str, Schema] = {**text_file.SCHEMAS, **ask_file.SCHEMAS}


def schemas(folder: Path) -> dict[str, Schema]:
    """Return the files of the protocol in `folder`, and the shape of each."""
    return {**SCHEMAS, **(PHRASES if (folder / phrase_file.PATH).exists() else TEXT_CHECK)}


def assemble(documents: Mapping[str, Document], digest: str, faults: Faults) -> Protocol:
    """Return the protocol; raises `ProtocolError` with every fault of every file."""
    form = form_files.build(documents)
    sources = head_files.sources(documents)
    references = _references(documents, form, {key: each.title for key, each in sources.items()}, faults)
    parts = _parts(documents, references)
    faults.raise_if_any()
    conditions = _conditions(form, parts)
    _note_circles(conditions, faults)
    faults.raise_if_any()
    head = documents["protocol.yaml"].said
    return Protocol(**head, **parts, digest=digest, form=form, sources=sources, conditions=conditions)


def _parts(documents: Mapping[str, Document], references: References) -> dict[str, Any]:
    patterns = documents[route_file.PATH].said.get("patterns", {})
    return {
        "facts": fact_file.build(documents, references),
        "rules": rule_files.build(documents, references),
        "owners": rule_files.owners(documents, references),
        "routes": route_file.build(documents, references),
        "floors": route_file.floors(documents, references),
        "patterns": patterns,
        "evidence": evidence_file.build(documents, references),
        "imaging": imaging_file.build(documents, references, patterns),
        "phrases": _text_check(documents, references),
        "targets": target_file.build(documents, references),
        "ask_next": ask_file.build(documents, references),
    }


def _text_check(documents: Mapping[str, Document], references: References) -> Phrases | TextCheck | None:
    if phrase_file.PATH in documents:
        return phrase_file.build(documents, references)
    return text_file.build(documents, references)


def _references(
    documents: Mapping[str, Document], form: FormDefinition, sources: Mapping[str, str], faults: Faults
) -> References:
    imaging = documents[imaging_file.PATH]
    return References(
        Vocabulary(form.comparable, fact_file.names(documents), rule_files.names(documents)),
        sources,
        imaging.names("studies"),
        imaging.said.get("times", ()),
        faults,
    )


def _conditions(form: FormDefinition, parts: Mapping[str, Any]) -> dict[str, Condition]:
    """Return every fact and rule by its name: as stated, and as counted."""
    evidence, rules = parts["evidence"], parts["rules"]
    early = [rule for rule in rules.values() if not rule.late]
    emergencies = [rule.id for rule in early if rule.priority == "emergency"]
    return {
        **{name: each.condition for name, each in {**parts["facts"], **rules}.items()},
        **counted.compared(evidence),
        "NERVE_AT_LEAST_3": counted.nerve_at_least_3(evidence),
        "TEXT_CONFLICT": counted.text_conflict(parts["phrases"], form.fields),
        "INCOMPLETE": counted.incomplete(form.first_tier, emergencies, [rule.id for rule in early]),
    }


def _note_circles(conditions: Mapping[str, Condition], faults: Faults) -> None:
    try:
        TopologicalSorter({name: each.names for name, each in conditions.items()}).prepare()
    except CycleError as error:
        faults.add("facts.yaml, rules", "these ask for one another in a circle: " + ", ".join(error.args[1]))
