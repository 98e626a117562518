"""Text that came from outside, made fit to be looked at: nothing in it unseen, none endless.

Callers choose what stands in a call record. Control characters, zero-width ones, those that turn
the direction of writing round, and heaps of accents that would cover the lines above are shown
by their number between angle quotes, so that no file shows anything but what is in it.
"""

from __future__ import annotations

import unicodedata

ELLIPSIS = "\u2026"
MOST_MARKS = 2
"""How many accents may stand on one letter."""
_MOST_SHOWN = 10
"""The most that one character takes when it is written out by its number."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_VOWELS = frozenset("aeiou")


def length(text: str) -> int:
    """Return how long a text is in UTF-16, as spreadsheets count: an emoji is two."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def visible(text: str, longest: int) -> str:
    """Return a text with unseen characters written out, cut to a ``length`` of ``longest``.

    A text that is cut ends in an ellipsis.
    """
    if text.isascii() and text.isprintable() and len(text) <= longest:
        return text
    shown: list[str] = []
    so_far = marks = 0
    for letter in text:
        category = unicodedata.category(letter)
        marks = marks + 1 if category in _MARKS else 0
        plain = category not in _UNSEEN and marks <= MOST_MARKS
        seen = letter if plain else f"\u2039U+{ord(letter):04X}\u203a"
        so_far += length(seen)
        if so_far > longest:
            return _cut(shown, longest)
        shown.append(seen)
    return "".join(shown)


def has_controls(text: str) -> bool:
    """Tell whether a text holds control characters, which no name or path of ours needs."""
    return any(unicodedata.category(letter) == "Cc" for letter in text)


def fits(text: str, longest: int) -> bool:
    """Tell whether a text is shown whole in a length of ``longest``."""
    return len(text) <= longest and length(visible(text, _MOST_SHOWN * len(text))) <= longest


def counted(count: int, thing: str) -> str:
    """Write a number of things: ``1 call``, ``2,487 calls``, ``3 replies``, ``4 days``."""
    if count == 1:
        return f"1 {thing}"
    changes = thing.endswith("y") and thing[-2:-1] not in _VOWELS
    return f"{count:,} {thing[:-1]}ies" if changes else f"{count:,} {thing}s"


def _cut(shown: list[str], longest: int) -> str:
    """Leave whole characters only, with room for the ellipsis."""
    over = sum(map(length, shown)) - (longest - len(ELLIPSIS))
    while shown and over > 0:
        over -= length(shown.pop())
    return "".join((*shown, ELLIPSIS))
