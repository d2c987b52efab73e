"""The signed head of the chains: kept outside the database, it shows later that nothing before it was cut off."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.store.seals.chain_seals import Seal


def signing_key(key: bytes) -> Ed25519PrivateKey:
    """Return the key that signs heads; it is derived from CHAIN_KEY."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"psoas chain head signature").derive(key)
    return Ed25519PrivateKey.from_private_bytes(derived)


def signed_head(key: bytes, seal: Seal) -> dict[str, Any]:
    """Return a seal as a signed head: what was last numbered in both chains, and when."""
    signer = signing_key(key)
    head = {
        "at": seal.at.isoformat(),
        "seal": seal.id,
        "mac": seal.mac.hex(),
        "number": seal.number,
        "digest": seal.digest.hex(),
        "access_number": seal.access_number,
        "access_digest": seal.access_digest.hex(),
        "public_key": signer.public_key().public_bytes_raw().hex(),
    }
    return {**head, "signature": signer.sign(_written(head)).hex()}


def is_signed(key: bytes, head: Mapping[str, Any]) -> bool:
    """Say whether a head is signed by the key that CHAIN_KEY gives, whatever key the head names."""
    unsigned = {name: value for name, value in head.items() if name != "signature"}
    try:
        signing_key(key).public_key().verify(bytes.fromhex(head["signature"]), _written(unsigned))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


def heads_in(lines: Iterable[bytes]) -> Iterator[dict[str, Any] | None]:
    """Yield the heads of a file, one a line; None for a line that is none."""
    for line in lines:
        try:
            head = orjson.loads(line)
        except orjson.JSONDecodeError:
            head = None
        yield head if isinstance(head, dict) else None


def _written(head: Mapping[str, Any]) -> bytes:
    return orjson.dumps(head, option=orjson.OPT_SORT_KEYS)
