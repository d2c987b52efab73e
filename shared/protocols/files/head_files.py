"""The files `protocol.yaml` and `sources.yaml`: what a protocol is, and what it rests on."""

from collections.abc import Mapping

from marshmallow import Schema, validate

from shared.clinical.protocol import Source
from shared.protocols.documents import Document
from shared.protocols.schemas import Text, named

SOURCE_NAME = validate.Regexp(r"[A-Za-z][A-Za-z0-9]*\Z", error="Not the name of a source.")


class ProtocolSchema(Schema):
    """Name, version and purpose."""

    name = Text(validate.Regexp(r"[a-z][a-z0-9-]*\Z"), required=True)
    version = Text(validate.Regexp(r"\d{4}\.\d+\.\d+\Z"), required=True)
    title = Text(required=True)
    purpose = Text(required=True)
    source = Text(required=True)


class SourcesSchema(Schema):
    """All sources; they are read one by one."""

    source = Text(required=True)
    sources = named(SOURCE_NAME)


class SourceSchema(Schema):
    """One source."""

    title = Text(required=True)
    address = Text()


SCHEMAS: dict[str, Schema] = {"protocol.yaml": ProtocolSchema(), "sources.yaml": SourcesSchema()}


def sources(documents: Mapping[str, Document]) -> dict[str, Source]:
    """Return the sources by their names."""
    every = documents["sources.yaml"].entries("sources", SourceSchema())
    return {name: Source(**said) for name, _, said in every}
