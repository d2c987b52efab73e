"""The file `ask_next.yaml`: the questions that may be asked next, and the answers that are tried."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from shared.clinical.fields import Answer
from shared.clinical.protocol import AskNext, Question
from shared.protocols.documents import Document
from shared.protocols.references import References
from shared.protocols.schemas import Text, named

PATH = "ask_next.yaml"


class AskShape(Schema):
    """The whole file; questions in order."""

    source = Text(required=True)
    at_most = fields.Integer(strict=True, required=True, validate=validate.Range(min=1))
    questions = named()


SCHEMAS = {PATH: AskShape()}


def build(documents: Mapping[str, Document], references: References) -> AskNext:
    """Return the questions; of none where the protocol has no such file."""
    if PATH not in documents:
        return AskNext(0, ())
    said = documents[PATH].said
    questions = said.get("questions", {})
    names = references.known(f"{PATH}: questions", "field", questions, references.vocabulary.fields)
    made = [Question(references.vocabulary.fields[name], _answers(name, questions[name], references)) for name in names]
    return AskNext(said.get("at_most", 0), tuple(made))


def _answers(name: str, answers: Any, references: References) -> tuple[Answer, ...]:
    asked, path = references.vocabulary.fields[name], f"{PATH}: questions.{name}"
    if not isinstance(answers, list) or not answers:
        references.faults.add(path, "Not a list of answers.")
        return ()
    for answer in answers:
        if not asked.is_answered(asked.clean(answer)):
            references.faults.add(path, f"{name} has no answer {answer}")
    return tuple(answers)
