"""Describes the active protocol in plain words: rules, routes, floors, their reasons and sources, time targets."""

from dataclasses import asdict
from typing import Any

from shared.clinical.protocol import Protocol
from shared.clinical.rules import ImagingLine, Result, Statement


def protocol_document(protocol: Protocol) -> dict[str, Any]:
    """Return the protocol as its readers see it; `owners` is the order in which rules speak for a referral."""
    rules, routes = protocol.rules.values(), protocol.routes
    return {
        **protocol.identity,
        "title": protocol.title,
        "purpose": protocol.purpose,
        "rules": [{**_result(rule), "flag": rule.flag, "late": rule.late} for rule in rules],
        "owners": list(protocol.owners),
        "routes": [{**_result(route), "queue": route.queue, "pattern": route.pattern} for route in routes],
        "floors": [_statement(floor) for floor in protocol.floors],
        "patterns": dict(protocol.patterns),
        "facts": [
            {"name": fact.name, "means": fact.means, "condition": fact.condition.text}
            for fact in protocol.facts.values()
        ],
        "evidence": _evidence(protocol),
        "imaging": _imaging(protocol),
        "targets": asdict(protocol.targets),
        "sources": {key: asdict(source) for key, source in protocol.sources.items()},
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "id": statement.id,
        "origin": statement.origin,
        "priority": statement.priority,
        "headline": statement.headline,
        "why": statement.why,
        "condition": statement.condition.text,
        "citation": list(statement.citation),
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        **_statement(result),
        "suspected": result.suspected,
        "send_to": result.send_to,
        "imaging": [_line(line) for line in result.imaging],
        "if_no_imaging": result.if_no_imaging,
        "codes": {system: list(codes) for system, codes in result.codes.items()},
    }


def _line(line: ImagingLine) -> dict[str, Any]:
    return {"study": line.study, "within": line.within, "when": line.when and line.when.text}


def _evidence(protocol: Protocol) -> dict[str, Any]:
    evidence = protocol.evidence
    tables = {
        name: [
            {"points": line.points, "condition": line.condition.text, "why": line.why, "citation": list(line.citation)}
            for line in lines
        ]
        for name, lines in evidence.tables.items()
    }
    return {"threshold": evidence.threshold, "lead": evidence.lead, "tables": tables}


def _imaging(protocol: Protocol) -> dict[str, Any]:
    imaging = protocol.imaging
    return {
        "times": list(imaging.times),
        "studies": [asdict(study) for study in imaging.studies.values()],
        "cautions": dict(imaging.cautions),
    }
