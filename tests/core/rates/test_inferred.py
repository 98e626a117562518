"""Inference: planted prices are found in noise, and exactly the planted outliers are listed."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from ratecards import CONNECTED

from maxo_reports.core.rates import inference
from maxo_reports.core.rates.inferred import INCREMENTS, Kind, Model, explain
from maxo_reports.core.rates.rating import PARTS_OF_A_MICRO, Rater, micros_of
from maxo_reports.core.report import CallLine

MONTHS = int(os.environ.get("INFERRED_MONTHS", "3"))
"""How many months are made up and looked into; 100 once before a release."""
RATES = ("0.25", "0.1145", "0.0355", "0.30", "0.15", "0.012", "0.0495", "0.06", "0.132")
FEES = ("0", "0", "0.05", "0.10", "0.39", "0.27")


def planted_model(dice: random.Random) -> Model:
    """Make a price model up."""
    if dice.random() < 0.2:
        return Model(Decimal(dice.choice(("0.10", "0.12", "0.36", "1.10"))))
    pair = dice.choice(INCREMENTS[:9])
    method = dice.choice(("half-up", "up", "down"))
    return Model(
        Decimal(dice.choice(FEES)), Decimal(dice.choice(RATES)), *pair, method, dice.choice((2, 4))
    )


def month(
    dice: random.Random, count: int = 400
) -> Iterator[tuple[str, Model, list[CallLine], set[str]]]:
    """Yield categories with their model, calls, and the ids of the calls that were made dearer."""
    for number in range(1, 5):
        name, model = f"Category {number}", planted_model(dice)
        calls, odd = [], set()
        for n in range(count):
            call_id, seconds = f"{number}-{n}", int(dice.expovariate(1 / 170)) + 1
            connected = dice.random() < 0.9
            micros = micros_of(model.parts(seconds)) if connected else 0
            if dice.random() < 0.03:
                micros += dice.choice((130_000, 770_000, 2_900_000))
                odd.add(call_id)
            status = "Connected" if connected else "No Answer"
            parties = ("0255500140", "0491570006", "0255500140")
            calls.append(CallLine(call_id, n, "Outbound", *parties, name, status, seconds, micros))
        yield name, model, calls, odd


def test_planted_models_are_found_and_exactly_the_planted_outliers() -> None:
    """Seeded months: no more calls can be explained than were left as the model made them."""
    dice = random.Random(20261127)
    for _ in range(MONTHS):
        planted = list(month(dice))
        calls = [call for _, _, own, _ in planted for call in own]
        guesses = inference.infer(lambda calls=calls: calls, CONNECTED)  # type: ignore[misc]
        assert len(guesses) == len(planted)
        for guess, (name, model, own, odd) in zip(guesses, planted, strict=True):
            assert guess.category == name
            assert {each.call.call_id for each in guess.outliers} == odd, (model, guess.model)
            assert guess.explained == len(own) - len(odd)
            assert guess.model is not None
            same = [model.parts(s) == guess.model.parts(s) for s in range(1, 400)]
            assert sum(same) > 390, (model, guess.model)


def test_an_inferred_card_rates_the_calls_that_it_came_from() -> None:
    """What is not an outlier costs, by the card that is written, what the carrier says."""
    ((_, _, calls, odd), *_) = month(random.Random(4))
    guesses = inference.infer(lambda: calls, CONNECTED)
    rater = Rater(inference.card(guesses), CONNECTED)
    for call in calls:
        rated = rater.rate(call)
        assert rated is not None
        assert (micros_of(rated.parts) == call.cost) == (call.call_id not in odd)


def test_one_call_tells_little_and_the_simplest_is_taken() -> None:
    """60 seconds for 25 cents: a price for the call, and as well one for the minute."""
    found = explain({Kind(60, 250_000): 1})
    assert found is not None
    assert found.model.per_minute is None
    assert found.model.connect_fee == Decimal("0.25")
    assert found.lengths == 1
    (guess,) = inference.infer(lambda: [line(1, 60, 250_000)], CONNECTED)
    assert [f.code for f in inference.findings([guess])] == ["rate-unsure"]


def line(
    number: int, seconds: int | None, cost: int | None, status: str = "Connected"
) -> CallLine:
    """Make a call."""
    parties = ("0255500140", "0491570006", "0255500140")
    return CallLine(str(number), number, "Outbound", *parties, "Mobile", status, seconds, cost)


def test_what_should_have_cost_nothing_is_an_outlier_where_it_did() -> None:
    """An unanswered call with a cost; credits and unreadable costs are listed, and no finding."""
    calls = [
        *(line(n, 60 * n, 100_000 * n) for n in range(1, 9)),
        line(20, 30, 0, "No Answer"),
        line(21, 30, 100_000, "No Answer"),
        line(22, 60, -100_000),
        line(23, 60, None),
        line(24, None, 0),
    ]
    (guess,) = inference.infer(lambda: calls, CONNECTED)
    verdicts = {each.call.call_id: each.verdict for each in guess.outliers}
    assert verdicts == {"21": "overcharged", "22": "credit", "23": "no cost"}
    (finding,) = inference.findings([guess])
    assert (finding.code, finding.calls) == ("rate-outlier", 2)


def test_free_calls_have_no_model_and_one_that_is_not_free_is_seen() -> None:
    """Most cost nothing; the one that does not is the outlier."""
    calls = [*(line(n, 17 * n, 0) for n in range(1, 30)), line(40, 60, 5_000_000)]
    (guess,) = inference.infer(lambda: calls, CONNECTED)
    assert guess.model is None
    assert [each.call.call_id for each in guess.outliers] == ["40"]


def test_no_calls_and_no_model() -> None:
    """Nothing is made of nothing."""
    assert explain({}) is None
    assert inference.infer(list, CONNECTED) == ()


def test_the_search_explains_as_much_as_the_model_that_was_planted() -> None:
    """Also with few calls, whatever is found instead."""
    dice = random.Random(5)
    for _ in range(4):
        model = planted_model(dice)
        kinds = Counter(
            Kind(s, model.parts(s) // PARTS_OF_A_MICRO)
            for s in (int(dice.expovariate(1 / 150)) + 4 for _ in range(60))
        )
        found = explain(kinds)
        assert found is not None
        assert found.explained >= 59
