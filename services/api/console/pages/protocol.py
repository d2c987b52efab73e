"""The protocol: every rule in plain words, with its condition, imaging and source."""

from flask import render_template

from services.api.console.blueprint import blueprint
from services.api.context import current_context
from services.api.http.auth import READERS, allow
from services.api.protocols.document import protocol_document


@blueprint.get("/protocol")
@allow("auditor", *READERS)
def protocol() -> str:
    """Show the active protocol."""
    document = protocol_document(current_context().protocol)
    names = {study["name"]: study["text"] for study in document["imaging"]["studies"] if "text" in study}
    groups = (
        ("Red-flag rules", document["rules"]),
        ("Routes", document["routes"]),
        ("Floors", document["floors"]),
    )
    return render_template("console/protocol.html", document=document, groups=groups, studies=names)
