"""The file `routes.yaml`: where forms without a red flag go, the floors, and the patterns."""

from collections.abc import Mapping

from marshmallow import Schema, fields

from shared.clinical.referral.lifecycle import PRIORITIES, QUEUES
from shared.clinical.rules import Floor, Route
from shared.protocols.documents import Document
from shared.protocols.files.rule_files import RULE_NAME, ResultSchema, StatementSchema, result, statement
from shared.protocols.references import References
from shared.protocols.schemas import FILLED, Text, choice, named

PATH = "routes.yaml"


class RoutesSchema(Schema):
    """Routes in their order, floors, and the link that each pattern names."""

    source = Text(required=True)
    routes = named(RULE_NAME)
    floors = named(RULE_NAME)
    patterns = fields.Dict(
        keys=Text(),
        values=choice("nerve", "muscle", "joint", "unknown", "suspected"),
        required=True,
        validate=FILLED,
    )


class RouteSchema(ResultSchema):
    """One route: never to the urgent queue, which belongs to the red flags."""

    queue = choice(*QUEUES[1:], required=True)
    priority = choice(*PRIORITIES[2:], required=True)
    pattern = Text(required=True)


SCHEMAS = {PATH: RoutesSchema()}


def build(documents: Mapping[str, Document], references: References) -> tuple[Route, ...]:
    """Return the routes in order; the last one takes every form."""
    document = documents[PATH]
    patterns = document.said.get("patterns", {})
    routes = []
    for name, path, said in document.entries("routes", RouteSchema()):
        references.known(f"{path}.pattern", "pattern", [said["pattern"]], patterns)
        routes.append(Route(id=name, **result(path, said, references)))
    if routes and routes[-1].condition.text not in ("always", ""):
        document.faults.add(f"{PATH}: routes.{routes[-1].id}", "the last route has to take every form: always")
    return tuple(routes)


def floors(documents: Mapping[str, Document], references: References) -> tuple[Floor, ...]:
    """Return the floors; each makes a routine result prompt."""
    every = documents[PATH].entries("floors", StatementSchema())
    return tuple(Floor(id=name, priority="prompt", **statement(path, said, references)) for name, path, said in every)
