"""The protocols of this service: versioned folders of YAML, read strictly, and pinned by a digest once released."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from shared.clinical.protocol import Protocol
from shared.protocols import assembly, documents, releases
from shared.protocols.faults import Faults, ProtocolError

__all__ = ["ACTIVE", "ProtocolError", "active", "cases", "corpus", "load", "version"]

ACTIVE = Path(__file__).parent / "failed-slr" / "2026.2.0"


def load(folder: Path) -> Protocol:
    """Return the protocol in `folder`; raises `ProtocolError`, which names every fault at once.

    A folder named in the `digests.yaml` beside it is released: it has to say exactly what it said then.
    """
    faults = Faults()
    read = documents.read(folder, assembly.schemas(folder), faults)
    digest = documents.digest(read)
    protocol = assembly.assemble(read, digest, faults)
    releases.check(folder, protocol, faults)
    faults.raise_if_any()
    return protocol


def cases(folder: Path) -> list[dict[str, Any]]:
    """Return the worked examples of the protocol in `folder`: `id`, `prose`, `age_years`, `form` and what to `expect`.

    Their forms have no birth date. Born on 1 January of this year less `age_years`, the patient has that age all year.
    """
    examples: list[dict[str, Any]] = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    return examples


def corpus(folder: Path) -> list[dict[str, Any]]:
    """Return the labelled texts of the protocol in `folder`: `text`, `group` and `outcome`; none where it has none."""
    path = folder / "free-text-corpus.json"
    texts: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return texts


@cache
def version(number: str) -> Protocol | None:
    """Return a released version of the active protocol by its number, None where this program has none."""
    if number == active().version:
        return active()
    folder = ACTIVE.parent / number
    return load(folder) if number in releases.digests(ACTIVE.parent) else None


@cache
def active() -> Protocol:
    """Return the protocol by which forms are read and triaged now."""
    return load(ACTIVE)
