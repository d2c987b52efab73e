"""A decision in the form's own words: labels beside the names of fields, and rules that one answer would settle."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.clinical.fields import Field
from shared.clinical.protocol import Protocol


def worded(record: Mapping[str, Any], protocol: Protocol) -> dict[str, Any]:
    """Return a stored decision with words added to its reasons, open rules and imaging; nothing else changes.

    `protocol` is the version that decided.
    """
    return {
        **record,
        "reasons": [{**each, "words": _said(each["because"].items(), protocol)} for each in record["reasons"]],
        "undetermined": [{**each, **_open(each, protocol)} for each in record["undetermined"]],
        "imaging": [{**each, **_study(each, protocol)} for each in record["imaging"]],
    }


def answered(answers: Mapping[str, Any], protocol: Protocol) -> list[dict[str, Any]]:
    """Return each stored answer, by the names of fields, as code and in the form's words, in the form's order.

    `protocol` is the version that decided; an answer that it does not ask stands last, as it is.
    """
    asked = [name for name in protocol.form.fields if name in answers]
    others = [name for name in answers if name not in protocol.form.fields]
    paths = {name: protocol.form.fields[name].path for name in asked}
    said = _said([(paths.get(name, name), answers[name]) for name in (*asked, *others)], protocol)
    return [
        {"field": word["field"], "label": word["label"], "answer": answers[name], "text": word["answer"]}
        for name, word in zip((*asked, *others), said, strict=True)
    ]


def _said(answers: Iterable[tuple[str, Any]], protocol: Protocol) -> list[dict[str, Any]]:
    """Return question and answer as the form words them; an answer that is not on a list stands as it is."""
    words = []
    for path, answer in answers:
        field = protocol.form.by_path.get(path)
        label = field.label if field else path
        if field and isinstance(answer, str):
            text = _text(field, answer)
        else:
            text = _with_unit(_plain(answer), field.unit if field else None)
        words.append({"field": path, "label": label, "answer": text})
    return words


def _with_unit(number: str, unit: str | None) -> str:
    """Return a number as it is said with its unit: `1 day`, `3 days`, `MRC grade 3`; a ratio is said without one."""
    if unit is None or unit == "ratio":
        return number
    if unit.endswith("grade"):
        return f"{unit} {number}"
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}"


def _text(field: Field, answer: str) -> str:
    """Return the words of an answer on the list; those of an earlier version are read as they are now."""
    return field.values.get(field.old_answers.get(answer, answer), _plain(answer))


def _open(rule: Mapping[str, Any], protocol: Protocol) -> dict[str, Any]:
    """Return an open rule's headline, the labels of what is missing, and whether one answer would settle it."""
    stated = protocol.rules.get(rule["rule"])
    headline = stated.headline if stated else rule["rule"]
    known = protocol.form.labels  # a page of 50 referrals has some thousand
    labels = [known.get(path, path) for path in rule["missing"]]
    near = f"One answer away from {rule['rule']}: {labels[0]}" if len(labels) == 1 else None
    return {"headline": headline, "labels": labels, "near_miss": near}


def _study(advice: Mapping[str, Any], protocol: Protocol) -> dict[str, Any]:
    """Return the headlines of the rules behind an imaging line, and the name of the study that it stands for."""
    stated = {**protocol.rules, **{route.id: route for route in protocol.routes}}
    replaced = protocol.imaging.studies.get(advice.get("instead_of") or "")
    return {
        "labels": [stated[rule].headline for rule in advice["because"] if rule in stated],
        "instead_of_text": replaced.text if replaced else None,
    }


def _plain(answer: Any) -> str:
    if isinstance(answer, bool):
        return "Yes" if answer else "No"
    if isinstance(answer, str):
        return {"unknown": "Not known", "not_asked": "Not asked"}.get(answer, answer)
    return f"{answer:g}"
