"""Kleene's three truth values: True, False, and None for "not known" (triage specification, part 3.4)."""

Truth = bool | None


def every(*parts: Truth) -> Truth:
    """AND: false beats not known, not known beats true."""
    if False in parts:
        return False
    return None if None in parts else True


def some(*parts: Truth) -> Truth:
    """OR: true beats not known, not known beats false."""
    if True in parts:
        return True
    return None if None in parts else False


def no(part: Truth) -> Truth:
    """NOT: what is not known stays not known."""
    return None if part is None else not part


def certain(part: Truth) -> bool:
    """CERTAIN, and FIRED when the part is a rule."""
    return part is True


def possible(part: Truth) -> bool:
    """POSSIBLE: true or not known."""
    return part is not False
