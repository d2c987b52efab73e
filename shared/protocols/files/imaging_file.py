"""The file `imaging.yaml`: studies, times, supersession, contraindications and cautions."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from marshmallow import Schema, fields, validate

from shared.clinical.imaging import ImagingRules, Step, Study, Supersession
from shared.protocols.documents import Document
from shared.protocols.references import References
from shared.protocols.schemas import FILLED, NAME, Flag, Text, named

PATH = "imaging.yaml"


def _texts(**settings: Any) -> fields.List[str]:
    return fields.List(Text(), validate=FILLED, **settings)


class ImagingSchema(Schema):
    """The whole file; studies, pairs and steps are read one by one."""

    source = Text(required=True)
    times = _texts(required=True)
    prompt_times = fields.Dict(keys=Text(), values=Text(), required=True)
    studies = named()
    groups = fields.Dict(keys=fields.String(validate=NAME), values=_texts(), required=True)
    first = _texts(required=True)
    supersession = fields.List(fields.Raw(), required=True)
    steps = fields.List(fields.Raw(), required=True, validate=FILLED)
    cautions = fields.Dict(keys=fields.String(validate=NAME), values=Text(), required=True)


class StudySchema(Schema):
    """One study; `loinc` is null where no code is sure."""

    text = Text(required=True)
    loinc = Text(validate.Regexp(r"\d{1,7}-\d\Z"), required=True, allow_none=True)


class SupersessionSchema(Schema):
    """One pair of studies."""

    id = Text(required=True)
    study = Text(required=True)
    to = Text(required=True)
    beside = _texts()
    remove = _texts()


class StepSchema(Schema):
    """One step of the order of work."""

    id = Text(required=True)
    when = Text()
    beside = _texts()
    pattern = Text()
    unless_serious = Flag()
    merge = Flag()
    caution = Text()
    replace = fields.Dict(keys=Text(), values=_texts(), validate=FILLED)
    instead = fields.Dict(keys=Text(), values=Text(), validate=FILLED)
    remove = _texts()


SCHEMAS = {PATH: ImagingSchema()}


def build(documents: Mapping[str, Document], references: References, patterns: Iterable[str]) -> ImagingRules:
    """Return the vocabulary and the order of work, with groups resolved to studies."""
    document = documents[PATH]
    said = document.said
    words = _Words(document, references, tuple(patterns))
    return ImagingRules(
        times=tuple(said.get("times", ())),
        prompt_times=words.times(f"{PATH}: prompt_times", said.get("prompt_times", {})),
        studies={name: Study(name, **study) for name, _, study in document.entries("studies", StudySchema())},
        first=words.matching(f"{PATH}: first", said.get("first", ())),
        supersession=tuple(words.pair(*entry) for entry in document.entries("supersession", SupersessionSchema())),
        steps=tuple(words.step(*entry) for entry in document.entries("steps", StepSchema())),
        cautions=said.get("cautions", {}),
    )


class _Words:
    """Resolves the words of the file; every word that names nothing is noted."""

    def __init__(self, document: Document, references: References, patterns: tuple[str, ...]) -> None:
        self.references = references
        self.patterns = patterns
        self.cautions = document.said.get("cautions", ())
        groups = document.said.get("groups", {})
        self.groups = {name: self.matching(f"{PATH}: groups.{name}", globs) for name, globs in groups.items()}

    def matching(self, path: str, globs: Iterable[str]) -> frozenset[str]:
        """Return the studies whose names match; a pattern that matches none is a fault."""
        found: set[str] = set()
        for glob in globs:
            matched = [study for study in self.references.studies if fnmatchcase(study, glob)]
            if not matched:
                self.references.faults.add(path, f"no study matches {glob}")
            found.update(matched)
        return frozenset(found)

    def times(self, path: str, pairs: Mapping[str, str]) -> Mapping[str, str]:
        """Return the pairs of times, both of which have to exist."""
        self.references.known(path, "time", [*pairs, *pairs.values()], self.references.times)
        return pairs

    def pair(self, _: str, path: str, said: dict[str, Any]) -> Supersession:
        """Return one pair of the merge."""
        study, to = said["study"], said["to"]
        beside = self._studies(f"{path}.beside", said.get("beside", [to]))
        self._studies(path, [study, to])
        return Supersession(study, to, beside, self._studies(f"{path}.remove", said.get("remove", ())))

    def step(self, _: str, path: str, said: dict[str, Any]) -> Step:
        """Return one step, with its condition compiled."""
        self.references.known(f"{path}.caution", "caution", _given(said, "caution"), self.cautions)
        self.references.known(f"{path}.pattern", "pattern", _given(said, "pattern"), self.patterns)
        instead = said.get("instead", {})
        self._studies(f"{path}.instead", [*instead, *instead.values()])
        when = self.references.condition(f"{path}.when", said["when"]) if "when" in said else None
        beside = self._group(f"{path}.beside", said["beside"]) if "beside" in said else None
        resolved = {
            "when": when,
            "beside": beside,
            "replace": self._replacements(f"{path}.replace", said.get("replace", {})),
            "remove": self._group(f"{path}.remove", said.get("remove", ())),
        }
        return Step(**{**said, **resolved})

    def _replacements(self, path: str, said: Mapping[str, list[str]]) -> dict[str, tuple[tuple[str, str | None], ...]]:
        self._studies(path, said)
        return {study: tuple(self._timed(f"{path}.{study}", others)) for study, others in said.items()}

    def _timed(self, path: str, others: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        for other in others:
            study, _, within = other.partition("@")
            self._studies(path, [study])
            self.references.known(path, "time", [within] if within else [], self.references.times)
            yield study, within or None

    def _studies(self, path: str, names: Iterable[str]) -> frozenset[str]:
        return frozenset(self.references.known(path, "study", names, self.references.studies))

    def _group(self, path: str, names: Iterable[str]) -> frozenset[str]:
        known = self.references.known(path, "group", names, self.groups)
        return frozenset[str]().union(*(self.groups[name] for name in known))


def _given(said: Mapping[str, Any], key: str) -> list[str]:
    return [said[key]] if key in said else []
