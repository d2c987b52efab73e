"""Posts forms for a while, and takes no other answer than 202."""

from collections.abc import Callable, Sequence

from bench.bodies import posts
from bench.client import Address, Load, drive
from bench.scene import Scene


def post_for(
    scene: Scene, addresses: Sequence[Address], name: str, seconds: float, gate: Callable[[], bool] = lambda: True
) -> Load:
    """Post forms, a tenth of them urgent, from 16 clients to `addresses` in turn; `name` keeps their ids apart."""
    load = drive(addresses, posts(scene.forms.mixed(), scene.key, name), seconds=seconds, gate=gate)
    if set(load.statuses) != {202}:
        raise ValueError(f"not every post was accepted: {dict(load.statuses)}; see {scene.log}")
    return load


def warm_up(scene: Scene, addresses: Sequence[Address], gate: Callable[[], bool] = lambda: True) -> None:
    """Post for a while that does not count."""
    post_for(scene, addresses, "warm-up", scene.scale.warm_up, gate)
