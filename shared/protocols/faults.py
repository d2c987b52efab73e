"""Collects all faults of a protocol folder and reports them together."""

from dataclasses import dataclass, field


class ProtocolError(Exception):
    """A protocol that is refused. `faults` holds one line a fault: file, path inside the file, what is wrong."""

    def __init__(self, faults: list[str]) -> None:
        """Keep the faults and tell all of them."""
        self.faults = tuple(faults)
        super().__init__("the protocol is refused:\n" + "\n".join(f"  {fault}" for fault in faults))


@dataclass(slots=True)
class Faults:
    """Collects faults while a folder is read, so that one run names them all."""

    lines: list[str] = field(default_factory=list)

    def add(self, path: str, message: str) -> None:
        """Note one fault at `path`, such as `rules/urgent.yaml: rules.XU2.condition`."""
        self.lines.append(f"{path}: {message}")

    def raise_if_any(self) -> None:
        """Raise `ProtocolError` with all faults noted so far."""
        if self.lines:
            raise ProtocolError(self.lines)
