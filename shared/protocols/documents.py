"""The files of a protocol folder, read strictly, and the digest of what they say."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from marshmallow import Schema, ValidationError

from shared.protocols import strict_yaml
from shared.protocols.faults import Faults


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its path inside the folder, and what it says."""

    path: str
    content: Mapping[str, Any]
    faults: Faults
    well_shaped: bool = True

    def names(self, key: str) -> list[str]:
        """Return the names of all entries under `key`, well shaped or not."""
        entries = self.content.get(key)
        return [str(name) for name in entries] if isinstance(entries, dict) else []

    def entries(self, key: str, shape: Schema) -> Iterator[tuple[str, str, Any]]:
        """Yield name, path and loaded value of each entry under `key`; a misshapen entry is noted and left out."""
        for name, entry in self._pairs(key):
            path = f"{self.path}: {key}.{name}"
            try:
                yield str(name), path, shape.load(entry)
            except ValidationError as error:
                note(self.faults, path, error.messages)

    def _pairs(self, key: str) -> Iterable[tuple[Any, Any]]:
        entries = self.content.get(key)
        if isinstance(entries, dict):
            return entries.items()
        return enumerate(entries) if isinstance(entries, list) else ()


def read(folder: Path, shapes: Mapping[str, Schema], faults: Faults) -> dict[str, Document]:
    """Read every file that `shapes` names; a missing, unreadable, misshapen or unexpected file is a fault."""
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).as_posix()
        if name not in shapes:
            faults.add(name, "this file belongs to no protocol")
    return {name: _document(folder, name, shape, faults) for name, shape in shapes.items()}


def digest(documents: Mapping[str, Document]) -> str:
    """Return `sha256:…` over what the files say; comments and layout do not count."""
    said = {name: document.content for name, document in documents.items()}
    canonical = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def note(faults: Faults, path: str, messages: Any) -> None:
    """Note each leaf of marshmallow's nested messages under its own path."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            transparent = key in ("_schema", "value", "key")  # marshmallow's own levels, not the file's
            note(faults, path if transparent else f"{path}.{key}", inner)
    else:
        for message in messages:
            faults.add(path, message)


def _document(folder: Path, name: str, shape: Schema, faults: Faults) -> Document:
    before = len(faults.lines)
    content: Any = {}
    try:
        content = strict_yaml.parse((folder / name).read_text(encoding="utf-8"))
        note(faults, f"{name}:", shape.validate(content))
    except FileNotFoundError:
        faults.add(name, "the file is missing")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        faults.add(name, " ".join(str(error).split()))
    return Document(name, content if isinstance(content, dict) else {}, faults, len(faults.lines) == before)
