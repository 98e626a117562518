"""The palette: the few colours and fonts that every file of a report is drawn with."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Theme:
    """The one palette of workbook, statement and email: colours as ``#rrggbb``, fonts by name.

    ``font`` is the shipped one, ``workbook_font`` one that spreadsheet programs have.
    """

    font: str
    workbook_font: str
    ink: str
    muted: str
    line: str
    tint: str
    paper: str
    brand: str
    on_brand: str
    accent: str
    inbound: str
    outbound: str
    good: str
    warning: str
    bad: str

    def branded(self, colour: str) -> Theme:
        """Return the palette of a sender who has a colour; without one, this palette."""
        if not colour:
            return self
        # Inbound is told by its outline, so that no colour of ours stands beside the sender's.
        return replace(self, brand=colour, accent=colour, inbound=colour, outbound=colour)
