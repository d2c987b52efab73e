"""Adds examples to the bodies of the OpenAPI document that have none."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.api.openapi.response_examples import answer_examples, outcomes_example

DOCUMENTS = {
    "get_form": {"title": "Referral of a patient who cannot lift a leg while lying flat", "type": "object"},
    "get_protocol": {"name": "failed-slr", "version": "2026.2.0"},
}
SEARCHES = {"SearchBody": {"reference": "R-7K3M-9Q4M"}, "AccessSearch": {"mrn": "DEMO-V01", "limit": 50}}
REQUESTS: dict[str, dict[str, Any]] = {
    "RerouteBody": {"queue": "neurology", "confirm": True},
    "ReturnBody": {"confirm": True},
    "ContactedBody": {"outcome": "reached"},
    "CorrectIdentityBody": {"patient": {"mrn": "DEMO-V02"}},
}


def add_examples(spec: Mapping[str, Any]) -> None:
    """Give every body of an operation an example."""
    for path in spec["paths"].values():
        for method, operation in path.items():
            if method != "parameters":
                for media in _bodies(operation):
                    if not media.keys() & {"example", "examples"}:
                        media |= _example(spec, operation["operationId"], media["schema"])


def _bodies(operation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the request and the answers hold."""
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for response in operation["responses"].values():
        yield from response.get("content", {}).values()


def _example(spec: Mapping[str, Any], operation: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if operation in DOCUMENTS:
        return {"example": DOCUMENTS[operation]}
    name = schema.get("$ref", "").rpartition("/")[2]
    if name in answer_examples():
        return {"examples": {"answer": {"$ref": f"#/components/examples/{name}"}}}
    if not name:
        return {"example": outcomes_example()}
    properties = spec["components"]["schemas"][name]["properties"]
    shown = {key: each["example"] for key, each in properties.items() if "example" in each}
    return {"example": SEARCHES.get(name) or shown | REQUESTS.get(name, {})}
