"""The OpenAPI document breaks no client of the last release, but for what the CHANGELOG announces as changed."""

import copy
import json
from fnmatch import fnmatch
from pathlib import Path

import pytest

from services.api.openapi.generator import COMMITTED
from tests.architecture.openapi_breaks import breaks

LAST_RELEASE = Path(__file__).parent / "openapi-0.1.0.json"  # as it was released; a release replaces it by its own
# Changed on purpose, by the CHANGELOG. A new line needs one there too.
ANNOUNCED = (
    # Protocol 2026.2.0 asks these three with answers of their own; the old ones are still taken until 2027-12-31.
    "* request*.symptoms.bilateral_sciatica takes fewer values",
    "* request*.symptoms.breathlessness_rest_or_lying takes fewer values",
    "* request*.symptoms.swallowing_difficulty takes fewer values",
    # A destination of a facility has no queue.
    "* 200.deliveries[[]].destination.queue has another type",
    "* 200.destination.queue has another type",
)


def test_nothing_of_the_last_release_breaks():
    found = breaks(json.loads(LAST_RELEASE.read_text()), json.loads(COMMITTED.read_text()))
    assert [line for line in found if not any(fnmatch(line, pattern) for pattern in ANNOUNCED)] == []


def small():
    """A document with a bit of everything that the comparison knows."""
    items = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    thing = {"type": "object", "properties": {"id": {"type": "string"}, "parts": {"type": "array"}}, "required": ["id"]}
    thing["properties"]["parts"]["items"] = {"$ref": "#/components/schemas/Part"}
    body = {
        "type": "object",
        "properties": {"by": {"type": "string", "maxLength": 100}, "kind": {"enum": ["a", "b"]}},
        "required": ["by"],
    }
    operation = {
        "x-roles": ["admin", "operator"],
        "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 200}}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {
                "headers": {"ETag": {}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
            }
        },
    }
    components = {"schemas": {"Thing": thing, "Part": items}}
    return {"paths": {"/things": {"post": operation, "get": copy.deepcopy(operation)}}, "components": components}


def test_what_only_adds_breaks_nothing():
    old, new = small(), small()
    assert breaks(old, new) == []
    new["paths"]["/others"] = new["paths"]["/things"]
    post = new["paths"]["/things"]["post"]
    post["x-roles"] += ["auditor"]
    post["parameters"] += [{"in": "query", "name": "after", "schema": {"type": "string"}}]
    post["responses"]["404"] = {}
    sent = post["requestBody"]["content"]["application/json"]["schema"]
    sent["properties"] |= {"note": {"type": "string"}, "kind": {"enum": ["a", "b", "c"]}}
    sent["required"] = []
    thing = new["components"]["schemas"]["Thing"]
    thing["properties"]["more"] = {"type": "string"}
    thing["required"] += ["more"]
    assert breaks(old, new) == []


POST = "['paths']['/things']['post']"
SENT = f"{POST}['requestBody']['content']['application/json']['schema']"
PARTS = "['components']['schemas']['Part']"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("del new['paths']['/things']", "POST /things: removed"),
        (f"del new{POST}", "POST /things: removed"),
        (f"new{POST}['x-roles'] = ['admin']", "POST /things: role operator removed"),
        (f"new{POST}['parameters'] = []", "POST /things: query parameter limit removed"),
        (f"new{POST}['parameters'][0]['required'] = True", "POST /things: query parameter limit became required"),
        (
            f"new{POST}['parameters'][0]['schema']['maximum'] = 50",
            "POST /things: query parameter limit has a lower maximum",
        ),
        (f"del old{POST}['requestBody']", "POST /things: request body became required"),
        (f"new{SENT}['required'] += ['kind']", "POST /things: request.kind became required"),
        (f"del new{SENT}['properties']['kind']", "POST /things: request.kind removed"),
        (f"new{SENT}['properties']['kind']['enum'] = ['a']", "POST /things: request.kind takes fewer values"),
        (f"new{SENT}['properties']['by']['maxLength'] = 9", "POST /things: request.by has a lower maxLength"),
        (f"new{SENT}['properties']['by']['type'] = 'integer'", "POST /things: request.by has another type"),
        (f"del new{POST}['responses']['200']", "POST /things: 200 removed"),
        (
            f"del new{POST}['responses']['200']['content']['application/json']",
            "POST /things: 200 application/json removed",
        ),
        (f"del new{POST}['responses']['200']['headers']['ETag']", "POST /things: 200 header ETag removed"),
        (f"del new{PARTS}['properties']['name']", "POST /things: 200.parts[].name removed"),
        (f"new{PARTS}['required'] = []", "POST /things: 200.parts[].name is optional"),
        (
            f"new{PARTS}['properties']['name']['type'] = ['string', 'null']",
            "POST /things: 200.parts[].name has another type",
        ),
    ],
)
def test_what_breaks_a_client_is_listed(change, complaint):
    old, new = small(), small()
    exec(change, {"old": old, "new": new})  # noqa: S102 - the changes above
    assert complaint in breaks(old, new)
