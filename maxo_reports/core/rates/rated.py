"""Sections of a re-rating and of an inference: which figures stand where, and in which words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from maxo_reports.core.money import dollars, plain
from maxo_reports.core.rates.inference import Guess
from maxo_reports.core.rates.rerating import Compared, Rerated, Tally
from maxo_reports.core.rates.tabled import cost, count, length, report, section, text
from maxo_reports.core.rates.tariff import WEEKDAYS, Rate
from maxo_reports.core.report import Cell, Column, Kind, Report, Row, Section, Source, Table
from maxo_reports.core.text import counted

MOST_LISTED = 5_000
"""Calls that a workbook lists one by one; the CSV beside it has all of them."""
_EPOCH = date(1970, 1, 1)

_TALLIED = (
    count("calls", "Calls"),
    length("seconds", "Duration"),
    length("seconds:billed", "Billed duration"),
    length("seconds:included", "Included"),
    cost("cost", "Cost"),
    cost("cost:rated", "By the card"),
    count("calls:over", "Calls overcharged"),
    cost("cost:over", "Overcharged"),
    count("calls:under", "Calls undercharged"),
    cost("cost:under", "Undercharged"),
    count("calls:unrated", "Calls not rated"),
    cost("cost:unrated", "Not rated"),
    cost("cost:credits", "Credits"),
)
_CALL = (
    text("verdict", "Verdict"),
    Column("call_id", "Call ID", Kind.ID),
    Column("started", "Started", Kind.MOMENT),
    text("direction", "Direction"),
    Column("a_party", "From", Kind.NUMBER),
    Column("b_party", "To", Kind.NUMBER),
    text("category", "Rate category"),
    text("status", "Status"),
    length("seconds", "Duration"),
    length("billed", "Billed duration"),
    text("rate", "Rate"),
    # Not "Cost": these are not all calls, and a list of all is known by its headings.
    cost("cost", "Carrier's cost"),
    cost("rated", "By the card"),
    cost("difference", "Difference"),
)


def check_report(found: Rerated, source: Source) -> Report:
    """Return the report of a comparison with a rate card."""
    own = [
        _outcome(found),
        _by_category(found),
        _by_rate(found),
        _differences(found),
        _card(found),
    ]
    costs = [dollars(t.rated) for t in (*found.by_category.values(), *found.by_rate)]
    return report("ratecard", f"Rate card check: {found.card.name}", source, own, costs)


def differences(found: Rerated) -> Table:
    """Return every call that does not simply agree, in order of time."""
    return Table(_CALL, tuple(_row(_cells(each, found)) for each in found.compared))


def _row(cells: Sequence[Cell]) -> Row:
    return Row(tuple(cells))


def _outcome(found: Rerated) -> Section:
    whole = found.whole
    lines = (
        ("By the rate card", whole.rated_calls, whole.rated),
        ("Overcharged", whole.over_calls, whole.over),
        ("Undercharged", whole.under_calls, -whole.under),
        ("Differences within the tolerance", None, whole.within),
        ("Credits", whole.credit_calls, whole.credits),
        ("Not rated", whole.unrated_calls, whole.unrated),
    )
    columns = (text("line", "From the rate card to the cost"), count("touched", "Calls"))
    notes = [f"Tolerance: ${plain(dollars(found.tolerance))} a call."]
    if found.rounding:
        notes.append(
            f"Rates that round their total only would add ${plain(dollars(found.rounding))}."
        )
    return section(
        "From card to cost",
        (*columns, cost("cost", "Dollars")),
        [(line, calls, dollars(micros)) for line, calls, micros in lines],
        total=("Cost as the carrier reports it", whole.calls, dollars(whole.cost)),
        note=" ".join(notes),
        sheet="Summary",
    )


def _tallied(tally: Tally) -> tuple[Cell, ...]:
    return (
        *(tally.calls, tally.seconds, tally.billed, tally.included),
        *(dollars(tally.cost), dollars(tally.rated)),
        *(tally.over_calls, dollars(tally.over), tally.under_calls, dollars(tally.under)),
        *(tally.unrated_calls, dollars(tally.unrated), dollars(tally.credits)),
    )


def _by_category(found: Rerated) -> Section:
    ordered = sorted(found.by_category.items(), key=lambda each: (-each[1].over, each[0]))
    return section(
        "By category",
        (text("category", "Rate category"), text("direction", "Direction"), *_TALLIED),
        [(*key, *_tallied(tally)) for key, tally in ordered],
        total=("Total", None, *_tallied(found.whole)),
    )


def _by_rate(found: Rerated) -> Section:
    columns = (text("rate", "Rate"), text("for", "For"), text("says", "Says"), *_TALLIED)
    return section(
        "By rate",
        columns,
        [
            (rate.place, _for_calls(rate), _says(rate), *_tallied(tally))
            for rate, tally in zip(found.card.rates, found.by_rate, strict=True)
        ],
        note="Rates as they stand in the card; calls without a rate are on Differences.",
    )


def _differences(found: Rerated) -> Section:
    def size(each: Compared) -> tuple[int, int]:
        difference = each.difference
        return -abs((each.call.cost or 0) if difference is None else difference), each.call.started

    listed = sorted(found.compared, key=size)
    note = "Nothing differs." if not listed else "The largest differences first."
    if left := len(listed) - MOST_LISTED:
        note += (
            f" {counted(left, 'call')} more in the CSV file beside this book." if left > 0 else ""
        )
    cells = [_cells(each, found) for each in listed[:MOST_LISTED]]
    return section("Differences", _CALL, cells, note=note)


def _cells(each: Compared, found: Rerated) -> tuple[Cell, ...]:
    call, rated = each.call, each.rated
    return (
        each.verdict,
        call.call_id,
        local(call.started),
        *(call.direction, call.a_party, call.b_party, call.category, call.status, call.seconds),
        rated.billed if rated is not None else None,
        found.card.rates[rated.at].place if rated is not None else "",
        _or_none(call.cost),
        _or_none(each.expected),
        _or_none(each.difference),
    )


def local(started: int) -> datetime:
    """Return a call's local beginning."""
    return datetime.fromtimestamp(started, UTC).replace(tzinfo=None)


def _or_none(micros: int | None) -> Decimal | None:
    return None if micros is None else dollars(micros)


def _card(found: Rerated) -> Section:
    rows = [
        (rate.place, _for_calls(rate), _when(rate), _says(rate), rate.gst, rate.pool)
        for rate in found.card.rates
    ]
    columns = [
        text(key, label)
        for key, label in (
            *(("rate", "Rate"), ("for", "For"), ("when", "When"), ("says", "Says")),
            *(("gst", "GST"), ("pool", "Pool")),
        )
    ]
    pools = [
        f"Pool {pool.name!r}: {pool.seconds // 60:,} minutes for each "
        f"{pool.per.replace('-', ' ')}."
        for pool in found.card.pools
    ]
    return section("Rate card", columns, rows, note=" ".join(pools))


# ---- a rate in words ----------------------------------------------------------------------------


def _for_calls(rate: Rate) -> str:
    said = [
        rate.category or "any category",
        *([rate.direction] if rate.direction else ()),
        *([f"numbers {rate.prefix}..."] if rate.prefix else ()),
    ]
    return ", ".join(said)


def _when(rate: Rate) -> str:
    said = []
    if rate.first is not None:
        said.append(f"from {_EPOCH + timedelta(days=rate.first)}")
    if rate.last is not None:
        said.append(f"to {_EPOCH + timedelta(days=rate.last)}")
    if rate.band is not None:
        days = " ".join(WEEKDAYS[day] for day in sorted(rate.band.days))
        said.append(f"{days} {_clock(rate.band.start)}-{_clock(rate.band.end)}")
    return ", ".join(said) or "always"


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}"


def _says(rate: Rate) -> str:
    """Say what a rate costs: ``$0.05 + $0.1145/min, 30+6 s, up to 2 places``."""
    said = []
    fee = f"${plain(rate.connect_fee)} + " if rate.connect_fee else ""
    timed = f"${plain(rate.per_minute or Decimal(0))}/min"
    if rate.per_call is not None:
        said.append(f"{fee}${plain(rate.per_call)} a call")
        if rate.untimed_limit is not None:
            said.append(
                f"after {rate.untimed_limit:,} s ${plain(rate.per_minute or Decimal(0))}/min"
            )
    else:
        said.append(f"{fee}{timed}")
    if rate.per_minute is not None:
        said.append(f"{rate.first_increment}+{rate.increment} s")
    if rate.free_seconds:
        said.append(f"{rate.free_seconds:,} s free")
    if rate.minimum is not None:
        said.append(f"at least ${plain(rate.minimum)}")
    if rate.maximum is not None:
        said.append(f"at most ${plain(rate.maximum)}")
    rounding = rate.rounding
    if rounding.method != "none":
        of = "" if rounding.stage == "call" else " of the total"
        said.append(f"rounded {rounding.method} to {rounding.places} places{of}")
    return ", ".join(said)


# ---- inference ----------------------------------------------------------------------------------

_GUESSED = (
    text("category", "Rate category"),
    text("direction", "Direction"),
    text("says", "Model"),
    count("calls", "Calls"),
    count("calls:explained", "Explained"),
    count("calls:outliers", "Outliers"),
    text("share", "Share"),
    count("lengths", "Different durations"),
    text("as_well", "As well explained by"),
    cost("cost", "Cost"),
    cost("cost:model", "By the model"),
    cost("cost:difference", "Difference"),
)
_OUTLIER = tuple(column for column in _CALL if column.key not in {"billed", "rate"})


def infer_report(guesses: Sequence[Guess], source: Source) -> Report:
    """Return the report of what the calls say of their own prices."""
    columns = [Column(c.key, "By the model", c.kind) if c.key == "rated" else c for c in _OUTLIER]
    listed = sorted(
        (cells for guess in guesses for cells in outliers_of(guess)),
        key=lambda cells: -abs(cells[-1]) if isinstance(cells[-1], Decimal) else Decimal(0),
    )
    note = "Every call is explained." if not listed else "The largest differences first."
    own = [
        section(
            "Models",
            _GUESSED,
            [_guessed(guess) for guess in guesses],
            note="The model that explains the most calls of a category; of two that explain as "
            "many, or nearly, the plainer. A model of few calls or few durations proves little.",
        ),
        section("Outliers", columns, listed[:MOST_LISTED], note=note),
    ]
    costs = [dollars(guess.modelled) for guess in guesses]
    return report("inferred", "Rates as the calls show them", source, own, costs)


def outliers(guesses: Iterable[Guess]) -> Table:
    """Return every call that its category's model does not explain."""
    return Table(_OUTLIER, tuple(_row(c) for guess in guesses for c in outliers_of(guess)))


def outliers_of(guess: Guess) -> Iterable[tuple[Cell, ...]]:
    """Yield the cells of a category's outliers."""
    for each in guess.outliers:
        call = each.call
        yield (
            *("outlier", call.call_id, local(call.started), call.direction, call.a_party),
            *(call.b_party, call.category, call.status, call.seconds),
            *(_or_none(call.cost), _or_none(each.expected), _or_none(each.difference)),
        )


def _guessed(guess: Guess) -> tuple[Cell, ...]:
    percent = f"{100 * guess.explained // guess.calls if guess.calls else 0}%"
    others = ", ".join(
        "a call" if other.per_minute is None else f"{other.first}+{other.following} s"
        for other in guess.as_well
    )
    return (
        *(guess.category, guess.direction, model_words(guess)),
        *(guess.calls, guess.explained, guess.calls - guess.explained, percent),
        *(guess.lengths, others),
        *(dollars(guess.cost), dollars(guess.modelled), dollars(guess.cost - guess.modelled)),
    )


def model_words(guess: Guess) -> str:
    """Say what a category seems to cost."""
    return "free" if guess.model is None else _says(guess.model.rate(""))
