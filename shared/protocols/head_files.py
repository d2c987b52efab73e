"""The files `protocol.yaml` and `sources.yaml`: what a protocol is, and what it rests on."""

from collections.abc import Mapping

from marshmallow import Schema, validate

from shared.clinical.protocol import Source
from shared.protocols.documents import Document
from shared.protocols.shapes import Text, named

SOURCE_NAME = validate.Regexp(r"[A-Za-z][A-Za-z0-9]*\Z", error="Not the name of a source.")


class ProtocolShape(Schema):
    """Name, version and purpose."""

    name = Text(validate.Regexp(r"[a-z][a-z0-9-]*\Z"), required=True)
    version = Text(validate.Regexp(r"\d{4}\.\d+\.\d+\Z"), required=True)
    title = Text(required=True)
    purpose = Text(required=True)
    source = Text(required=True)


class SourcesShape(Schema):
    """All sources; they are read one by one."""

    source = Text(required=True)
    sources = named(SOURCE_NAME)


class SourceShape(Schema):
    """One source."""

    title = Text(required=True)
    address = Text()


SHAPES: dict[str, Schema] = {"protocol.yaml": ProtocolShape(), "sources.yaml": SourcesShape()}


def sources(documents: Mapping[str, Document]) -> dict[str, Source]:
    """Return the sources by their names."""
    every = documents["sources.yaml"].entries("sources", SourceShape())
    return {name: Source(**said) for name, _, said in every}
