"""Makes the ciphers of a deployment from its settings: one for identities, one for webhook secrets."""

from shared.platform.crypto import IdentityCipher
from shared.platform.settings import Settings


def identity_cipher(settings: Settings) -> IdentityCipher:
    """Return the cipher of identities and of the reasons of their corrections."""
    return IdentityCipher(settings.identity_keys, bound=settings.sealing_format > 1)


def webhook_cipher(settings: Settings) -> IdentityCipher:
    """Return the cipher of webhook secrets, which also opens those that IDENTITY_KEYS sealed."""
    if not settings.webhook_keys:
        return identity_cipher(settings)
    return IdentityCipher(
        settings.webhook_keys, fallback=IdentityCipher(settings.identity_keys), bound=settings.sealing_format > 1
    )
