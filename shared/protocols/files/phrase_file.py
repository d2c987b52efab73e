"""The file `phrases.yaml`: danger phrases in the free text, and what takes them back."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from shared.clinical.text_check.phrases import Phrase, Phrases
from shared.protocols.documents import Document
from shared.protocols.references import References
from shared.protocols.schemas import FILLED, Text, named

PATH = "phrases.yaml"
WORDS = validate.Regexp(r"[a-z0-9']+( [a-z0-9']+)*\Z", error="Not words in small letters.")


def _words() -> fields.List[str]:
    return fields.List(Text(WORDS), required=True)


def _nested(**schema: fields.Field[Any]) -> fields.Nested:
    return fields.Nested(Schema.from_dict(schema), required=True)


def _count() -> fields.Integer:
    return fields.Integer(strict=True, required=True, validate=validate.Range(min=1))


class PhrasesSchema(Schema):
    """The whole file; groups are read one by one."""

    source = Text(required=True)
    silenced_by = fields.List(Text(), required=True, validate=FILLED)
    groups = named()
    sentences_end_at = _nested(characters=Text(required=True), words=_words())
    pieces_end_at = _nested(characters=Text(required=True), words=_words())
    negators = _nested(list=_words(), verb=_words())
    negator_reach = _count()
    blockers = _nested(noun=_words(), action=_words())
    list_negation = _nested(not_after=_words(), not_before=_words(), reach=_count())
    only_negated = _nested(phrases=_words(), words=_words())


class GroupSchema(Schema):
    """One group: the fields beside it, noun phrases and action phrases."""

    boxes = fields.List(Text(), required=True, validate=FILLED)
    noun = _words()
    action = _words()


SCHEMAS = {PATH: PhrasesSchema()}


def build(documents: Mapping[str, Document], references: References) -> Phrases | None:
    """Return the phrases, or None after noting why the file cannot be used."""
    document = documents[PATH]
    groups = {name: (path, said) for name, path, said in document.entries("groups", GroupSchema())}
    for path, said in groups.values():
        references.known(f"{path}.boxes", "field", said["boxes"], references.vocabulary.fields)
    if not document.well_shaped:
        return None
    said = document.said
    return Phrases(
        phrases=tuple(phrase for name, (_, group) in groups.items() for phrase in _phrases(name, group)),
        boxes={name: tuple(group["boxes"]) for name, (_, group) in groups.items()},
        silenced_by=frozenset(said["silenced_by"]),
        sentence_characters=said["sentences_end_at"]["characters"],
        sentence_words=frozenset(said["sentences_end_at"]["words"]),
        piece_characters=said["pieces_end_at"]["characters"],
        piece_words=frozenset(said["pieces_end_at"]["words"]),
        list_negators=frozenset(said["negators"]["list"]),
        verb_negators=frozenset(said["negators"]["verb"]),
        negator_reach=said["negator_reach"],
        noun_blockers=tuple(said["blockers"]["noun"]),
        action_blockers=tuple(said["blockers"]["action"]),
        list_not_after=frozenset(said["list_negation"]["not_after"]),
        list_not_before=frozenset(said["list_negation"]["not_before"]),
        list_reach=said["list_negation"]["reach"],
        only_negated=frozenset(tuple(phrase.split()) for phrase in said["only_negated"]["phrases"]),
        only_negated_words=frozenset(said["only_negated"]["words"]),
    )


def _phrases(group: str, said: Mapping[str, list[str]]) -> Iterator[Phrase]:
    for kind in ("noun", "action"):
        for phrase in said[kind]:
            yield Phrase(group, tuple(phrase.split()), kind == "noun")
