"""The priorities' colours: told apart by people who see colours otherwise, and readable on their grounds."""

import itertools
import math
import re

import pytest

from services.api.console.blueprint import STATIC
from shared.clinical.referral.lifecycle import PRIORITIES

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
VISION = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE = (0.95047, 1.0, 1.08883)
LEAST_DIFFERENCE, LEAST_CONTRAST = 10.0, 4.5


def schemes():
    """Return the custom properties of the light and of the dark scheme, as the style sheet sets them."""
    css = (STATIC / "console.css").read_text()
    light, dark = re.findall(r":root \{\s*(?:color-scheme: light dark;)?(.*?)\}", css, re.DOTALL)[:2]
    read = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in (light, dark)]
    return {"light": read[0], "dark": read[0] | read[1]}


def linear(colour):
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def times(matrix, vector):
    return tuple(sum(left * right for left, right in zip(row, vector, strict=True)) for row in matrix)


def lab(colour, vision):
    seen = (min(1.0, max(0.0, part)) for part in times(VISION[vision], linear(colour)))
    scaled = (part / white for part, white in zip(times(TO_XYZ, tuple(seen)), WHITE, strict=True))
    x, y, z = (part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116 for part in scaled)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(first, second):
    """Return CIEDE2000 (Sharma, Wu and Dalal, 2005)."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    stretch = 1 + (1 - math.sqrt(mean**7 / (mean**7 + 25**7))) / 2
    c1, c2 = math.hypot(a1 * stretch, b1), math.hypot(a2 * stretch, b2)
    h1, h2 = (math.degrees(math.atan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = h2 - h1 if c1 * c2 else 0.0
    turn -= 360 * round(turn / 360)
    hue = (h1 + h2 + (360 if abs(h1 - h2) > 180 else 0)) / 2 if c1 * c2 else h1 + h2
    big_h = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    of = [math.cos(math.radians(angle)) for angle in (hue - 30, 2 * hue, 3 * hue + 6, 4 * hue - 63)]
    t = 1 - 0.17 * of[0] + 0.24 * of[1] + 0.32 * of[2] - 0.20 * of[3]
    sl = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    rotation = -2 * math.sqrt(chroma**7 / (chroma**7 + 25**7))
    rotation *= math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2))))
    dl, dc, dh = (l2 - l1) / sl, (c2 - c1) / sc, big_h / sh
    return math.sqrt(dl**2 + dc**2 + dh**2 + rotation * dc * dh)


def contrast(first, second):
    lights = sorted(sum(w * part for w, part in zip(TO_XYZ[1], linear(each), strict=True)) for each in (first, second))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def is_readable(colours, ink, ground):
    return contrast(colours[ink], colours[ground]) >= LEAST_CONTRAST


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_the_measure_agrees_with_the_published_pairs(first, second, expected):
    assert difference(first, second) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_two_priorities_are_told_apart(scheme, vision):
    colours = {name: lab(schemes()[scheme][name], vision) for name in PRIORITIES}
    for (one, first), (other, second) in itertools.combinations(colours.items(), 2):
        assert (one, other, difference(first, second) >= LEAST_DIFFERENCE) == (one, other, True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "grounds"),
    [
        *((name, ("card", "hover")) for name in ("emergency", "urgent", "routine")),  # a tag stands on a card
        *((name, ("card", "hover", "page")) for name in ("ink", "soft", "link", "good")),
    ],
)
def test_words_are_readable_on_their_grounds(scheme, ink, grounds):
    colours = schemes()[scheme]
    assert [
        (each, contrast(colours[ink], colours[each])) for each in grounds if not is_readable(colours, ink, each)
    ] == []


def test_red_and_ochre_of_like_lightness_are_refused():
    assert difference(lab("#c62828", "deutan"), lab("#8a6d00", "deutan")) < LEAST_DIFFERENCE
