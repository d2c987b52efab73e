"""Released versions: a digest for each in `digests.yaml`, so that what was released stays as it was."""

from pathlib import Path

from shared.clinical.protocol import Protocol
from shared.protocols import strict_yaml
from shared.protocols.faults import Faults


def check(folder: Path, protocol: Protocol, faults: Faults) -> None:
    """Note a folder whose name is not its version, and a released one that no longer says what it said."""
    if folder.name != protocol.version:
        faults.add("protocol.yaml: version", f"the folder is named {folder.name}")
    released = digests(folder.parent).get(folder.name, protocol.digest)
    if released != protocol.digest:
        faults.add(
            str(folder.name), f"was released as {released} and is now {protocol.digest}; a change is a new version"
        )


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each released version of the protocol in `folder`."""
    path = folder / "digests.yaml"
    return dict(strict_yaml.parse(path.read_text(encoding="utf-8"))[0]) if path.exists() else {}
