"""Text that came from outside, made fit to be looked at: nothing in it unseen, none endless.

Callers choose what stands in a call record. Control characters, zero-width ones and those that
turn the direction of writing round are shown by their number between angle quotes, so that no
file shows anything other than what is in it.
"""

from __future__ import annotations

import unicodedata

ELLIPSIS = "\u2026"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, longest: int) -> str:
    """Return a text with unseen characters written out, cut to ``longest`` characters.

    A text that is cut ends in an ellipsis.
    """
    if text.isascii() and text.isprintable() and len(text) <= longest:
        return text
    shown: list[str] = []
    length = 0
    for letter in text:
        seen = letter
        if unicodedata.category(letter) in _UNSEEN:
            seen = f"\u2039U+{ord(letter):04X}\u203a"
        length += len(seen)
        if length > longest:
            return _cut(shown, longest)
        shown.append(seen)
    return "".join(shown)


def _cut(shown: list[str], longest: int) -> str:
    """Leave whole characters only, with room for the ellipsis."""
    while shown and sum(map(len, shown)) > longest - len(ELLIPSIS):
        shown.pop()
    return "".join((*shown, ELLIPSIS))
