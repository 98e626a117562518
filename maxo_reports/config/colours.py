"""Whether a colour can be read: the contrast of two colours as WCAG works it out."""

from __future__ import annotations

LEAST_CONTRAST = 4.5
"""What WCAG 2.2 asks of text at level AA (success criterion 1.4.3)."""


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, ``#rrggbb``: 1 for the same, 21 at most."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
