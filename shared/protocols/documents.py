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
    """One YAML file: its path in the folder, what it holds, and `said`, the part that has the right shape."""

    path: str
    content: Any
    said: Mapping[str, Any]
    faults: Faults
    well_shaped: bool

    def names(self, key: str) -> list[str]:
        """Return the names of all entries under `key`, well shaped or not."""
        entries = self.said.get(key)
        return list(entries) if isinstance(entries, dict) else []

    def entries(self, key: str, schema: Schema) -> Iterator[tuple[str, str, Any]]:
        """Yield name, path and loaded value of each entry under `key`; a misshapen entry is noted and left out."""
        for name, entry in self._pairs(key):
            path = f"{self.path}: {key}.{name}"
            try:
                yield str(name), path, schema.load(entry)
            except ValidationError as error:
                note(self.faults, path, error.messages)

    def _pairs(self, key: str) -> Iterable[tuple[Any, Any]]:
        entries = self.said.get(key, ())
        return entries.items() if isinstance(entries, dict) else enumerate(entries)


def read(folder: Path, schemas: Mapping[str, Schema], faults: Faults) -> dict[str, Document]:
    """Read every file that `schemas` names; a missing, unreadable, misshapen or unexpected file is a fault."""
    for path in sorted(folder.rglob("*.y*ml")):
        name = path.relative_to(folder).as_posix()
        if name not in schemas:
            faults.add(name, "this file belongs to no protocol")
    return {name: _document(folder, name, schema, faults) for name, schema in schemas.items()}


def digest(documents: Mapping[str, Document]) -> str:
    """Return `sha256:…` over what the files hold; comments and layout do not count, the order of entries does."""
    held = {name: document.content for name, document in sorted(documents.items())}
    canonical = json.dumps(held, ensure_ascii=False, separators=(",", ":"), default=str)
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


def _document(folder: Path, name: str, schema: Schema, faults: Faults) -> Document:
    try:
        content, twins = strict_yaml.parse((folder / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        faults.add(name, "cannot be read: " + " ".join(str(error).split()))
        return Document(name, None, {}, faults, well_shaped=False)
    for twin in twins:
        faults.add(name, twin)
    try:
        return Document(name, content, schema.load(content), faults, well_shaped=not twins)
    except ValidationError as error:
        note(faults, f"{name}:", error.messages)
        said = error.valid_data if isinstance(error.valid_data, dict) else {}
        return Document(name, content, said, faults, well_shaped=False)
