"""Makes components of the form for generators of clients: short names, the wording of questions in descriptions."""

from collections.abc import Mapping
from typing import Any

REFERENCE = "#/components/schemas/"


def form_components(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the components of a form's schema: `Form`, and one for each of its sections."""
    sections = {
        _name(section): _component(described)
        for section, described in form["properties"].items()
        if "properties" in described
    }
    members = {
        section: _member(section, described) if "properties" in described else _untitled(described)
        for section, described in form["properties"].items()
    }
    return {"Form": {**_untitled(form), "properties": members}, **sections}


def _name(section: str) -> str:
    return "Form" + section.title().replace("_", "")


def _member(section: str, described: Mapping[str, Any]) -> dict[str, Any]:
    reference = {"$ref": REFERENCE + _name(section)}
    return reference if described["type"] == "object" else {"anyOf": [reference, {"type": "null"}]}


def _component(described: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: _untitled(field) for name, field in described["properties"].items()}
    return {**_untitled(described), "type": "object", "properties": properties}


def _untitled(described: Mapping[str, Any]) -> dict[str, Any]:
    """Move a title into the description: generators name types by titles, and a question is a long name."""
    words = [described[name] for name in ("title", "description") if described.get(name)]
    rest = {name: value for name, value in described.items() if name not in ("title", "description", "$schema")}
    return {"description": "\n\n".join(words), **_typed(rest)} if words else _typed(rest)


def _typed(described: Mapping[str, Any]) -> dict[str, Any]:
    """Give an enumeration its type, which generators want and a validator does not need."""
    values = described.get("enum")
    if not values or "type" in described:
        return dict(described)
    kinds = ["null" if value is None else "string" for value in values]
    named = list(dict.fromkeys(kinds))
    return {"type": named[0] if len(named) == 1 else named, **described}
