"""The file `free_text.yaml`: the lists, distances and windows of the free-text check."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from shared.clinical.text_check.check import TextCheck
from shared.clinical.text_check.findings import Finder, Innocent, Mark, Marker, Owner, Pair
from shared.clinical.text_check.outcomes import Judge
from shared.clinical.text_check.sentences import Sentences
from shared.clinical.text_check.spelling import Speller
from shared.clinical.text_check.volumes import Volumes
from shared.clinical.text_check.word_lists import PhraseBook, WordList
from shared.protocols.documents import Document
from shared.protocols.references import References
from shared.protocols.schemas import FILLED, Text, choice

PATH = "free_text.yaml"
WORDS = validate.Regexp(r"[a-z0-9,%][a-z0-9']*\*?( [a-z0-9][a-z0-9']*\*?)*\Z", error="Not words in small letters.")
WINDOWS = (
    *("direct", "act", "list", "time", "after", "place"),
    *("hypothetical_before", "hypothetical_after", "person", "past", "pain_before", "pain_after"),
)
# The lists of single words, and the mark that each gives to a word.
MARKS = {
    "piece_words": Mark.PIECE,
    "list_negators": Mark.LIST_NEGATOR,
    "direct_negators": Mark.DIRECT_NEGATOR,
    "noun_blockers": Mark.NOUN_BLOCKER,
    "act_blockers": Mark.ACT_BLOCKER,
    "state_words": Mark.STATE,
    "time_words": Mark.TIME,
    "inside": Mark.INSIDE,
    "after_last": Mark.AFTER_LAST,
    "after_near": Mark.AFTER_NEAR,
    "after_not": Mark.AFTER_NOT,
    "other_person": Mark.OTHER_PERSON,
    "own_person": Mark.OWN_PERSON,
    "now": Mark.NOW,
    "other_places": Mark.OTHER_PLACE,
    "pain_words": Mark.PAIN,
}
PHRASES = ("hypothetical", "past")


def _words() -> fields.List[str]:
    return fields.List(Text(WORDS), required=True)


def _lists() -> fields.Dict:
    return fields.Dict(keys=Text(), values=_words(), required=True)


def _count(**settings: Any) -> fields.Integer:
    return fields.Integer(strict=True, required=True, validate=validate.Range(min=1), **settings)


class GroupSchema(Schema):
    """One group: the fields beside it, pairs of concepts with a distance, nouns and acts."""

    boxes = fields.List(Text(), required=True, validate=FILLED)
    pairs = fields.List(
        fields.Tuple((Text(), Text(), fields.Integer(strict=True, validate=validate.Range(min=0)))), required=True
    )
    nouns = _words()
    acts = _words()


class NumbersShape(Schema):
    """Volumes in numbers."""

    group = Text(required=True)
    at_least_ml = _count()
    at_most_ml = _count()
    window = _count()
    with_or_without_unit = _words()
    with_unit_only = _words()
    ml = _words()
    litre = _words()
    not_a_volume = _words()


class TextShape(
    Schema.from_dict({name: _words() for name in (*MARKS, *PHRASES)}, name="WordListsShape")  # type: ignore[misc]
):
    """The whole file."""

    source = Text(required=True)
    silenced_by = fields.List(Text(), required=True, validate=FILLED)
    replace = fields.Dict(keys=Text(), values=Text(WORDS), required=True)
    normal_forms = _lists()
    longer_forms = _lists()
    sentence_words = _words()
    plain_words = _words()
    concepts = _lists()
    groups = fields.Dict(keys=Text(), values=fields.Nested(GroupSchema), required=True, validate=FILLED)
    numbers = fields.Nested(NumbersShape, required=True)
    innocent = fields.List(fields.Tuple((Text(WORDS), choice("next", "previous"), _words())), required=True)
    other_places_for = Text(required=True)
    windows = fields.Nested(Schema.from_dict({name: _count() for name in WINDOWS}), required=True)

    @validates_schema
    def _names_what_is_there(self, data: dict[str, Any], **_: Any) -> None:
        concepts, groups = data["concepts"], data["groups"]
        paired = [name for group in groups.values() for first, second, _ in group["pairs"] for name in (first, second)]
        for name in (*paired, data["other_places_for"]):
            if name not in concepts:
                raise ValidationError({"concepts": [f"No concept is named {name}."]})
        if data["numbers"]["group"] not in groups:
            raise ValidationError({"numbers": [f"No group is named {data['numbers']['group']}."]})


SCHEMAS = {PATH: TextShape()}


def build(documents: Mapping[str, Document], references: References) -> TextCheck | None:
    """Return the check, or None after noting why the file cannot be used."""
    document = documents[PATH]
    if not document.well_shaped:
        return None
    said = document.said
    for name, group in said["groups"].items():
        references.known(f"{PATH}: groups.{name}.boxes", "field", group["boxes"], references.vocabulary.fields)
    return TextCheck(
        boxes={name: tuple(group["boxes"]) for name, group in said["groups"].items()},
        silenced_by=frozenset(said["silenced_by"]),
        sentences=_sentences(said),
        marker=Marker({mark: (*said[name], *_comma(mark)) for name, mark in MARKS.items()}),
        finder=_finder(said),
        judge=_judge(said),
        volumes=_volumes(said["numbers"]),
    )


def _comma(mark: Mark) -> tuple[str, ...]:
    return (",",) if mark is Mark.PIECE else ()


def _sentences(said: Mapping[str, Any]) -> Sentences:
    phrases = [phrase for phrase, _ in _phrases(said)]
    every = {key: value for key, value in said.items() if key != "source"}
    speller = Speller(_split(phrases), _split(_texts(every)))
    lists = ("replace", "normal_forms", "longer_forms", "sentence_words")
    return Sentences(**{name: said[name] for name in lists}, speller=speller)


def _finder(said: Mapping[str, Any]) -> Finder:
    steps = {"next": 1, "previous": -1}
    return Finder(
        book=PhraseBook(_phrases(said)),
        pairs=[
            Pair(name, first, second, distance, first == said["other_places_for"])
            for name, group in said["groups"].items()
            for first, second, distance in group["pairs"]
        ],
        innocent=[
            Innocent(WordList([word]), steps[where], WordList(others)) for word, where, others in said["innocent"]
        ],
        pain_before=said["windows"]["pain_before"],
        pain_after=said["windows"]["pain_after"],
    )


def _volumes(said: Mapping[str, Any]) -> Volumes:
    phrases = [(phrase, True) for phrase in said["with_or_without_unit"]]
    phrases += [(phrase, False) for phrase in said["with_unit_only"]]
    limits = {name: said[name] for name in ("group", "at_least_ml", "at_most_ml", "window")}
    return Volumes(
        **limits,
        book=PhraseBook(phrases),
        millilitres=WordList(said["ml"]),
        litres=WordList(said["litre"]),
        not_a_volume=WordList(said["not_a_volume"]),
    )


def _judge(said: Mapping[str, Any]) -> Judge:
    hypothetical, past = (PhraseBook((each, None) for each in said[name]) for name in PHRASES)
    units = WordList([*said["numbers"]["ml"], *said["numbers"]["litre"]])
    return Judge(said["windows"], hypothetical, past, units)


def _phrases(said: Mapping[str, Any]) -> Iterator[tuple[str, Owner]]:
    for concept, phrases in said["concepts"].items():
        for phrase in phrases:
            yield phrase, Owner(concept=concept)
    for group, lists in said["groups"].items():
        for kind in ("nouns", "acts"):
            for phrase in lists[kind]:
                yield phrase, Owner(group=group, is_act=kind == "acts")


def _texts(value: Any) -> Iterator[str]:
    """Yield every text among the values of the lists, at any depth; keys are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _split(phrases: Any) -> Iterator[str]:
    return (word for phrase in phrases for word in phrase.split())
