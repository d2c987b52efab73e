"""Puts the files of a protocol together, and checks what only all of them together can show."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from shared.clinical import facts as counted
from shared.clinical.conditions import Vocabulary
from shared.clinical.evidence import Evidence
from shared.clinical.fields import FormDefinition
from shared.clinical.free_text import Phrases
from shared.clinical.protocol import Protocol
from shared.clinical.rules import Rule
from shared.clinical.truth import Condition
from shared.protocols import (
    evidence_file,
    fact_file,
    form_files,
    head_files,
    imaging_file,
    phrase_file,
    route_file,
    rule_files,
    target_file,
)
from shared.protocols.documents import Document
from shared.protocols.faults import Faults, ProtocolError
from shared.protocols.references import References

SHAPES = {
    **head_files.SHAPES,
    **form_files.SHAPES,
    **fact_file.SHAPES,
    **rule_files.SHAPES,
    **route_file.SHAPES,
    **evidence_file.SHAPES,
    **imaging_file.SHAPES,
    **phrase_file.SHAPES,
    **target_file.SHAPES,
}


def assemble(documents: Mapping[str, Document], digest: str, faults: Faults) -> Protocol:
    """Return the protocol; raises `ProtocolError` with every fault of every file."""
    form = form_files.build(documents)
    sources = head_files.sources(documents)
    references = _references(documents, form, {key: each.title for key, each in sources.items()}, faults)
    facts = fact_file.build(documents, references)
    rules = rule_files.build(documents, references)
    evidence = evidence_file.build(documents, references)
    phrases = phrase_file.build(documents, references)
    targets = target_file.build(documents, references)
    patterns = documents[route_file.PATH].content.get("patterns") or {}
    imaging = imaging_file.build(documents, references, patterns)
    routes, floors = route_file.build(documents, references), route_file.floors(documents, references)
    owners = rule_files.owners(documents, references)
    if phrases is None or targets is None:
        raise ProtocolError(faults.lines)
    faults.raise_if_any()
    conditions = {
        **{name: fact.condition for name, fact in facts.items()},
        **{name: rule.condition for name, rule in rules.items()},
        **_counted(form, rules, evidence, phrases),
    }
    _refuse_circles(conditions, faults)
    head = documents["protocol.yaml"].content
    return Protocol(
        name=head["name"],
        version=head["version"],
        digest=digest,
        title=head["title"],
        purpose=head["purpose"],
        source=head["source"],
        form=form,
        facts=facts,
        rules=rules,
        owners=owners,
        routes=routes,
        floors=floors,
        patterns=patterns,
        evidence=evidence,
        imaging=imaging,
        phrases=phrases,
        targets=targets,
        sources=sources,
        conditions=conditions,
    )


def _references(
    documents: Mapping[str, Document], form: FormDefinition, sources: Mapping[str, str], faults: Faults
) -> References:
    imaging = documents[imaging_file.PATH]
    return References(
        Vocabulary(form.comparable, fact_file.names(documents), rule_files.names(documents)),
        sources,
        imaging.names("studies"),
        tuple(imaging.content.get("times") or ()),
        faults,
    )


def _counted(
    form: FormDefinition, rules: Mapping[str, Rule], evidence: Evidence, phrases: Phrases
) -> dict[str, Condition]:
    early = [rule for rule in rules.values() if not rule.late]
    emergencies = [rule.id for rule in early if rule.priority == "emergency"]
    return {
        **counted.compared(evidence),
        "NERVE_AT_LEAST_3": counted.nerve_at_least_3(evidence),
        "TEXT_CONFLICT": counted.text_conflict(phrases, form.fields),
        "INCOMPLETE": counted.incomplete(form.first_tier, emergencies, [rule.id for rule in early]),
    }


def _refuse_circles(conditions: Mapping[str, Condition], faults: Faults) -> None:
    try:
        TopologicalSorter({name: each.names for name, each in conditions.items()}).prepare()
    except CycleError as error:
        faults.add("facts.yaml, rules", "these ask for one another in a circle: " + ", ".join(error.args[1]))
    faults.raise_if_any()
