"""Lines of a rate card: each read into a rate, and everything that is wrong with it gathered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from maxo_reports.core.rates.tariff import (
    ALL_WEEK,
    DAY,
    POOLED,
    Band,
    Pool,
    Rate,
    RateCard,
    Rounding,
    rivals,
)
from maxo_reports.core.text import has_controls
from maxo_reports.errors import ConfigError, did_you_mean
from maxo_reports.ratecards import words
from maxo_reports.ratecards.words import NotRead

_MOST_TOLD = 50
_LONGEST = 200

_READ: Mapping[str, Callable[[Any], Any]] = {
    "category": words.text,
    "direction": words.direction,
    "prefix": words.prefix,
    "valid_from": words.day,
    "valid_to": words.day,
    "days": words.weekdays,
    "time_from": words.clock,
    "time_to": words.clock,
    "connect_fee": words.money,
    "per_minute": words.money,
    "per_call": words.money,
    "first_increment": lambda cell: words.whole(cell, 1, DAY),
    "increment": lambda cell: words.whole(cell, 1, DAY),
    "free_seconds": lambda cell: words.whole(cell, 0, DAY),
    "untimed_limit": lambda cell: words.whole(cell, 1, DAY),
    "minimum": words.money,
    "maximum": words.money,
    "charge_unconnected": words.yes,
    "rounding": words.method,
    "places": lambda cell: words.whole(cell, 0, 6),
    "stage": words.stage,
    "gst": words.basis,
    "pool": words.text,
    "pool_minutes": lambda cell: words.whole(cell, 1, 9_999_999),
    "pool_per": words.pooled,
    "pool_covers_fee": words.yes,
}
"""Column of a rate card -> what reads its cells."""
COLUMNS = tuple(_READ)
DEFAULTS = (
    *("valid_from", "valid_to", "first_increment", "increment", "charge_unconnected"),
    *("rounding", "places", "stage", "gst"),
)
"""Columns that the [card] of TOML may give for every rate."""
_OF_POOL = {"pool_minutes": "minutes", "pool_per": "per", "pool_covers_fee": "covers_fee"}


class Given(NamedTuple):
    """What one line says, by column, and its place in the file for people."""

    place: str
    values: Mapping[str, Any]


class Lines:
    """Reads line after line and gathers what is wrong with each."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._problems: list[str] = []
        self._pools: dict[str, Pool] = {}
        self._stated: dict[str, str] = {}

    def problem(self, place: str, text: str) -> None:
        """Note one mistake."""
        self._problems.append(
            f"{self._name} {place}: {text}" if place else f"{self._name}: {text}"
        )

    def unknown(self, place: str, given: Collection[str], known: Collection[str]) -> None:
        """Note every key that means nothing."""
        for key in given:
            if key not in known:
                self.problem(place, f"{key!r} is not a setting{did_you_mean(key, known)}")

    def raise_any(self) -> None:
        """Tell every mistake that was found, if any was."""
        if self._problems:
            told = self._problems[:_MOST_TOLD]
            if left := len(self._problems) - len(told):
                told.append(f"{self._name}: {left} more mistakes")
            raise ConfigError(told)

    def card(self, name: str, given: Sequence[Given]) -> RateCard:
        """Return the card as far as it can be read."""
        found = [rate for each in given if (rate := self._rate(each)) is not None]
        if not given and not self._problems:
            self.problem("", "there is no rate in it")
        for rate in found:
            if rate.pool and rate.pool not in self._pools:
                meant = did_you_mean(rate.pool, self._pools)
                self.problem(rate.place, f"the minutes of pool {rate.pool!r} are not said{meant}")
        for one, other in rivals(found):
            self.problem(
                other.place,
                f"is for the same calls as {one.place} ({_calls_of(other)}): end one with "
                "valid_to before the other begins, or tell them apart by prefix or time",
            )
        if has_controls(name) or not 0 < len(name) <= _LONGEST:
            self.problem("", f"the card's name must be 1 to {_LONGEST} letters, all seen")
        return RateCard(name, tuple(found), tuple(self._pools.values()))

    def pool(self, place: str, name: str, said: Mapping[str, Any]) -> None:
        """Read a pool of included minutes; every line that says it must say the same."""
        read = {
            column: self._cell(place, column, said[key])
            for column, key in _OF_POOL.items()
            if key in said
        }
        minutes = read.get("pool_minutes")
        if minutes is None:
            if "minutes" not in said:
                self.problem(place, f"minutes of pool {name!r} is missing")
            return
        per, covers = read.get("pool_per", POOLED[0]), bool(read.get("pool_covers_fee"))
        pool = Pool(name, minutes * 60, per, covers)
        known = self._pools.setdefault(name, pool)
        first = self._stated.setdefault(name, place)
        if known != pool:
            self.problem(place, f"says something else of pool {name!r} than {first}")

    def _cell(self, place: str, column: str, cell: Any) -> Any:
        if isinstance(cell, (list, dict)):
            self.problem(place, f"{column} must be one value, not several")
            return None
        try:
            return _READ[column](cell)
        except NotRead as why:
            self.problem(place, f"{column} {why}, not {words.text(cell)[:60]!r}")
            return None

    def _rate(self, given: Given) -> Rate | None:
        before = len(self._problems)
        place, values = given.place, given.values
        said = {
            column: self._cell(place, column, cell)
            for column, cell in values.items()
            if column in _READ and column not in _OF_POOL
        }
        self._pool_of_line(place, values)
        band = self._band(place, said)
        self._check(place, said)
        if len(self._problems) > before:
            return None
        rounding = Rounding(
            said.get("rounding", Rounding().method),
            said.get("places", Rounding().places),
            said.get("stage", Rounding().stage),
        )
        names = {"first": "valid_from", "last": "valid_to"}
        own = set(Rate.__dataclass_fields__) - {"place", "band", "rounding", *names}
        fields = {name: said[name] for name in own if name in said}
        fields |= {name: said.get(column) for name, column in names.items()}
        return Rate(place, **fields, band=band, rounding=rounding)

    def _pool_of_line(self, place: str, values: Mapping[str, Any]) -> None:
        about = {key: values[column] for column, key in _OF_POOL.items() if column in values}
        name = words.text(values.get("pool"))
        if about and not name:
            self.problem(place, f"{next(iter(about))} is of a pool, but of which? Fill in pool")
        elif about:
            self.pool(place, name, about)

    def _band(self, place: str, said: Mapping[str, Any]) -> Band | None:
        if not {"days", "time_from", "time_to"} & said.keys():
            return None
        start, end = said.get("time_from", 0), said.get("time_to", DAY)
        if start is None or end is None:
            return None
        if start in {end, DAY}:
            self.problem(place, "time_from and time_to leave no time between them")
            return None
        return Band(said.get("days") or ALL_WEEK, start, end)

    def _check(self, place: str, said: Mapping[str, Any]) -> None:
        """Note what makes no sense together."""
        given = {name for name, value in said.items() if value is not None}
        text = said.get("category") or ""
        if has_controls(text) or len(text) > _LONGEST:
            self.problem(place, f"category must be at most {_LONGEST} letters, all of them seen")
        if not {"per_minute", "per_call"} & said.keys():
            self.problem(place, "has no price: write per_minute or per_call, 0 for a free call")
        if {"per_minute", "per_call"} <= given and "untimed_limit" not in said:
            self.problem(
                place,
                "has per_call and per_minute: an untimed call has no price for its time, "
                "unless untimed_limit says after how many seconds that begins",
            )
        if "untimed_limit" in given and not {"per_call", "per_minute"} <= said.keys():
            self.problem(
                place, "untimed_limit needs per_call and, for the time after it, per_minute"
            )
        if said.get("free_seconds") and "per_call" in given:
            self.problem(place, "free_seconds has no meaning beside per_call: use untimed_limit")
        self._order(place, said, "minimum", "maximum")
        self._order(place, said, "valid_from", "valid_to")

    def _order(self, place: str, said: Mapping[str, Any], low: str, high: str) -> None:
        least, most = said.get(low), said.get(high)
        if least is not None and most is not None and least > most:
            one, other = (
                v if isinstance(v, Decimal) else words.day_text(v) for v in (least, most)
            )
            self.problem(place, f"{low} {one} is more than {high} {other}")


def _calls_of(rate: Rate) -> str:
    said = [
        f"category {rate.category!r}" if rate.category else "any category",
        rate.direction or "any direction",
        *([f"prefix {rate.prefix}"] if rate.prefix else ()),
    ]
    return ", ".join(said)
