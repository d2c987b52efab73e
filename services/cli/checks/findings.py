"""The result of a check of `referrals doctor`: its level, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`warn` is worth knowing; `fail` is to be put right. `do` says how, and is empty where all is well."""

    check: str
    state: State
    says: str
    do: str = ""


def found(check: str, well: bool, says: str, do: str, *, otherwise: State = "fail") -> Finding:
    """Return the finding of a check that is well or `otherwise`, with what to do then."""
    return Finding(check, "ok" if well else otherwise, says, "" if well else do)
