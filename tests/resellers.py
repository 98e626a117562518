"""A reseller for tests: an account whose calls are sold on, a directory, terms, addresses.

Everything goes through the command line and over real HTTP on loopback, as users have it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from carriers import KEY, OCTOBER, SYDNEY, Raw, call
from workspaces import SETTLED, Fickle, Ran, ran

from maxo_reports import definitions
from maxo_reports.cli import clock

DIRECTORY = """\
number,label,client
0255500140,Front desk,Smith Dental
0255500141,Back office,Smith Dental
0255500142,,Jones & Co
0255500143,,Brown
"""
TERMS = """\
[defaults]
gst_percent = 10

[client.smith]
name = "Smith Dental"
markup_percent = 37.7319
markup_percent_by_category = { "Mobile" = 61.2527 }
markup_per_call = 0.0113
minimum = 50

[client.smith.recipient]
address = ["Ann Smith", "9 Quay Street", "Hobart TAS 7000"]

[[client.smith.mail]]
address = "ann@smith.example"
name = "Ann Smith"

[[client.smith.mail]]
address = "books@smith.example"
reports = ["client-statement"]
attach = ["xlsx"]

[[client.smith.fee]]
text = "Number hire"
each = "5.25"
count = 2

[client.jones]
name = "Jones & Co"
rate_card = "jones.csv"
included = 2.5
"""
SENDER = """\
[brand]
name = "Harbour Voice"
address = ["1 Wharf Road", "Sydney NSW 2000"]
[mail]
sender = "accounts@harbour.example"
domains = ["smith.example", "jones.example", "harbour.example"]
"""
CARD = """\
category,direction,flagfall,per minute,first increment,increment,rounding,places,gst
Mobile,Outbound,0.07,0.21,60,60,up,2,exclusive
,Outbound,,0.09,1,1,half-up,4,inclusive
"""
NUMBERS = {
    "0255500140": "Smith Dental",
    "0255500141": "Smith Dental",
    "0255500142": "Jones & Co",
    "0255500143": "Brown",
    "0255500149": "Unallocated",
}
CATEGORIES = ("Local", "National", "Mobile")


def planted(count: int = 60, seed: int = 7) -> list[dict[str, Any]]:
    """Make outbound calls up whose costs are rare strings of digits, and so are their sums."""
    dice = random.Random(seed)
    calls = []
    for n in range(1, count + 1):
        number = dice.choice(list(NUMBERS))
        cost = f"{dice.randrange(1_000, 9_999)}.{dice.randrange(1_000, 9_999)}"
        calls.append(
            call(
                880_000 + n,
                OCTOBER + n * 40_000 + dice.randrange(20_000),
                zone=SYDNEY,
                direction="OUT",
                origin=number,
                destination=f"049157{n:04}",
                rate=dice.choice(CATEGORIES),
                inboundrate="",
                duration=dice.randrange(5, 900),
                cost=cost,
            )
        )
    return calls


BOOK_ONLY = (
    (definitions.shipped() / "reports" / "client-statement.toml")
    .read_text(encoding="utf-8")
    .replace('["xlsx", "pdf"]', '["xlsx"]', 1)
)
"""The client's statement without its PDF, which takes most of a run's time."""


@contextmanager
def as_settled() -> Iterator[None]:
    """Have the key at hand, and a day on which October is settled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAXO_API_KEY", KEY)
        patch.setattr(clock, "now", lambda: SETTLED)
        yield


class Office:
    """A reseller's workspace: one account, a directory, terms."""

    def __init__(self, folder: Path, carrier: Fickle) -> None:
        self.folder, self.carrier = folder, carrier
        self.settings()
        self.write("directory.csv", DIRECTORY)
        self.write("oncharge.toml", TERMS)
        self.write("jones.csv", CARD)
        assert ran(folder, "pull", "2026-10").code == 0

    def settings(self, gst: str = "inclusive", more: str = "", sender: str = SENDER) -> None:
        """Write the settings."""
        self.write(
            "maxo.toml",
            f'[account.acme]\nname = "Wholesale"\ntimezone = "{SYDNEY}"\n'
            f'base_url = "{self.carrier.base_url}"\ncost_gst = "{gst}"\n{more}'
            f'[settings]\ndirectory = "directory.csv"\n{sender}',
        )

    def write(self, name: str, text: str) -> None:
        """Write a file of the workspace."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def oncharge(self, *words: str) -> Ran:
        """Charge October."""
        return ran(self.folder, "oncharge", "2026-10", "--json", *words)

    def files(self, what: str, revision: int = 1) -> list[Path]:
        """Return the files of a pack."""
        folder = self.folder / "out" / "acme" / what / "2026-10" / f"r{revision}"
        return sorted(folder.iterdir())


def costs_of(calls: list[dict[str, Any]], client: str) -> list[Raw]:
    """Return a client's calls."""
    return [c for c in calls if NUMBERS[c["origin"]] == client]


def buy_prices(calls: list[dict[str, Any]], client: str) -> set[Decimal]:
    """Return everything that could betray what a client's calls cost the reseller.

    Each call and each sum by number, by category, by day and of all, with GST and without.
    """
    own = costs_of(calls, client)
    groups: dict[tuple[str, object], Decimal] = {}
    for c in own:
        day = (c["unixtime"] - OCTOBER) // 86_400
        for key in (
            *(("call", c["callid"]), ("number", c["origin"]), ("category", c["rate"])),
            *(("day", day), ("all", "")),
        ):
            groups[key] = groups.get(key, Decimal(0)) + Decimal(c["cost"])
    with_gst = set(groups.values())
    return with_gst | {(figure * 10 / 11).quantize(Decimal("0.000001")) for figure in with_gst}
