"""Compares two OpenAPI documents and lists what of the newer one breaks clients of the older one.

What a response may hold only grows, and what a request has to hold only shrinks. Unknown members and parameters of a
request are refused, so removing one from the document breaks who sends it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")


def breaks(old: Spec, new: Spec) -> list[str]:
    """Return one line for each thing that a client of `old` relies on and `new` lacks."""
    return sorted({line for path in old["paths"] for line in _path(path, old, new)})


def _path(path: str, old: Spec, new: Spec) -> Iterator[str]:
    before, after = old["paths"][path], new["paths"].get(path, {})
    for method in (name for name in METHODS if name in before):
        operation = f"{method.upper()} {path}"
        if method not in after:
            yield f"{operation}: removed"
            continue
        was, now = before[method], after[method]
        for role in set(was.get("x-roles", ())) - set(now.get("x-roles", was.get("x-roles", ()))):
            yield f"{operation}: role {role} removed"
        yield from _parameters(operation, _named(before, was, old), _named(after, now, new))
        yield from _request(operation, was, now, old, new)
        yield from _responses(operation, was["responses"], now["responses"], old, new)


def _named(path: Spec, operation: Spec, spec: Spec) -> dict[tuple[str, str], Spec]:
    both = [_resolved(each, spec) for each in (*path.get("parameters", ()), *operation.get("parameters", ()))]
    return {(each["in"], each["name"]): each for each in both}


def _parameters(
    operation: str, before: Mapping[tuple[str, str], Spec], after: Mapping[tuple[str, str], Spec]
) -> Iterator[str]:
    for where, name in before.keys() - after.keys():
        yield f"{operation}: {where} parameter {name} removed"
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"{operation}: {key[0]} parameter {key[1]} became required"
    for key in before.keys() & after.keys():
        was, now = before[key].get("schema", {}), after[key].get("schema", {})
        yield from _narrowed(f"{operation}: {key[0]} parameter {key[1]}", was, now)


def _request(operation: str, was: Spec, now: Spec, old: Spec, new: Spec) -> Iterator[str]:
    body, other = _resolved(was.get("requestBody", {}), old), _resolved(now.get("requestBody", {}), new)
    if other.get("required") and not body.get("required"):
        yield f"{operation}: request body became required"
    for media, content in body.get("content", {}).items():
        if media not in other.get("content", {}):
            yield f"{operation}: request {media} removed"
            continue
        schemas = content.get("schema", {}), other["content"][media].get("schema", {})
        yield from _members(f"{operation}: request", *schemas, old, new, sent=True)


def _responses(operation: str, was: Spec, now: Spec, old: Spec, new: Spec) -> Iterator[str]:
    for status, response in was.items():
        where = f"{operation}: {status}"
        if status not in now:
            yield f"{where} removed"
            continue
        before, after = _resolved(response, old), _resolved(now[status], new)
        for header in before.get("headers", {}).keys() - after.get("headers", {}).keys():
            yield f"{where} header {header} removed"
        for media, content in before.get("content", {}).items():
            if media not in after.get("content", {}):
                yield f"{where} {media} removed"
                continue
            schemas = content.get("schema", {}), after["content"][media].get("schema", {})
            yield from _members(where, *schemas, old, new, sent=False)


def _members(
    where: str, was: Spec, now: Spec, old: Spec, new: Spec, *, sent: bool, above: tuple[str, ...] = ()
) -> Iterator[str]:
    """List what breaks in a schema and all that it contains; `sent` in a request, else in a response."""
    if was.get("$ref") in above:
        return  # a schema that contains itself
    above = (*above, was["$ref"]) if "$ref" in was else above
    was, now = _resolved(was, old), _resolved(now, new)
    if sent:
        yield from _narrowed(where, was, now)
    elif "type" in was and not _kinds(now) <= _kinds(was):
        yield f"{where} has another type"
    required = set(was.get("required", ())), set(now.get("required", ()))
    changed, how = (
        (required[1] - required[0], "became required") if sent else (required[0] - required[1], "is optional")
    )
    members, others = was.get("properties", {}), now.get("properties", {})
    for name in members.keys() - others.keys():
        yield f"{where}.{name} removed"
    for name in changed & (others.keys() | members.keys()):
        if name in others:
            yield f"{where}.{name} {how}"
    for name in members.keys() & others.keys():
        yield from _members(f"{where}.{name}", members[name], others[name], old, new, sent=sent, above=above)
    if "items" in was:
        yield from _members(f"{where}[]", was["items"], now.get("items", {}), old, new, sent=sent, above=above)


def _narrowed(where: str, was: Spec, now: Spec) -> Iterator[str]:
    """List what a value may no longer be."""
    if "type" in now and not _kinds(was) <= _kinds(now):
        yield f"{where} has another type"
    if "enum" in now and not {*map(str, was.get("enum", ("any",)))} <= {*map(str, now["enum"])}:
        yield f"{where} takes fewer values"
    for bound in ("maxLength", "maximum", "maxItems"):
        if now.get(bound, float("inf")) < was.get(bound, float("inf")):
            yield f"{where} has a lower {bound}"


def _kinds(schema: Spec) -> set[str]:
    kinds = schema.get("type") or (list(map(_kind, schema["enum"])) if "enum" in schema else "any")
    named = {kinds} if isinstance(kinds, str) else set(kinds)
    return named | {"integer"} if "number" in named else named


def _kind(value: Any) -> str:
    return "null" if value is None else "string" if isinstance(value, str) else "any"


def _resolved(part: Spec, spec: Spec) -> Spec:
    """Return what a `$ref` names, which may be null where that is the other choice, or the part itself."""
    choices = part.get("anyOf", ())
    if [each for each in choices if "$ref" not in each] == [{"type": "null"}] and len(choices) == 2:
        named = _resolved(next(each for each in choices if "$ref" in each), spec)
        return {**named, "type": [named["type"], "null"]}
    while "$ref" in part:
        target: Any = spec
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name.replace("~1", "/").replace("~0", "~")]
        part = target
    return part
