"""The protocols of this service: versioned folders of YAML, read strictly, and pinned by a digest once released."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from shared.clinical.protocol import Protocol
from shared.protocols import assembly, documents, releases
from shared.protocols.faults import Faults, ProtocolError

__all__ = ["ACTIVE", "ProtocolError", "active", "cases", "load"]

ACTIVE = Path(__file__).parent / "failed-slr" / "2026.1.0"


def load(folder: Path) -> Protocol:
    """Return the protocol in `folder`; raises `ProtocolError`, which names every fault at once.

    A folder named in the `digests.yaml` beside it is released: it has to say exactly what it said then.
    """
    faults = Faults()
    read = documents.read(folder, assembly.SCHEMAS, faults)
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


@cache
def active() -> Protocol:
    """Return the protocol by which forms are read and triaged now."""
    return load(ACTIVE)
