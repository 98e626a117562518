"""Posting sets: lines add up to what is payable, GST is worked out on the total, nothing is lost.

The truth here is worked out in fractions, apart from the code under test.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from postings import CENT, ENTRY, gross_and_gst, half_up, made_up, worded

from maxo_reports.core.handoff.coding import Coding
from maxo_reports.core.handoff.posting import (
    Invoice,
    PostingSet,
    Sold,
    bill,
    journal,
    reversed_on,
    said,
    sales,
)
from maxo_reports.core.handoff.target import legs
from maxo_reports.core.ledger import total

LEDGERS = int(os.environ.get("HANDOFF_LEDGERS", "300"))
"""How many random ledgers are posted; 10,000 were, before a release."""
OTHER = Coding("490", "gst")


def invoice(total: str, *, claims: bool = False, other: Coding = OTHER) -> Invoice:
    """Make what a carrier's bill says."""
    return Invoice(Decimal(total), other, "Plan fees", claims=claims)


def steps(whole: PostingSet) -> Decimal:
    """Add up how the total comes about."""
    proof = whole.proof
    return proof.cost + proof.gst_step + proof.rounding + proof.other


@pytest.mark.parametrize("basis", ["inclusive", "exclusive", "unknown"])
def test_random_ledgers_add_up_to_the_cent(basis):
    """Lines add to the total; no line is a cent off; GST is exact by the total rule."""
    for seed in range(LEDGERS):
        lines = made_up(seed)
        exact = gross_and_gst(lines, basis)
        gross = half_up(sum(paid for paid, _ in exact))
        other = Decimal(seed % 7) * Decimal("11.37")
        claims = basis != "unknown" and seed % 2 == 0
        whole = bill(lines, basis, invoice(str(gross + other), claims=claims), ENTRY)
        (entry,) = whole.entries
        assert entry.payable == gross + other == whole.booked, seed
        assert whole.proof.other == other
        assert abs(steps(whole) - entry.payable) < Decimal("0.000002"), seed
        calls = [line for line in entry.lines if line.is_calls]
        assert total(line.totals for line in calls) == total(w.coded.totals for w in lines)
        for line, (paid, gst) in zip(calls, exact, strict=True):
            assert abs(Fraction(line.booked) - paid) < Fraction(CENT), seed
            if claims:
                assert abs(Fraction(line.gst) - gst) < Fraction(CENT), seed
        if claims:
            of_other = Fraction(other) / 11
            assert entry.gst == half_up(sum(gst for _, gst in exact) + of_other), seed
        else:
            assert entry.gst == 0
            assert {line.coding.tax for line in entry.lines} <= {"none"}
        posted = journal("accrual", lines, basis, ENTRY)
        net = half_up(sum(paid - gst for paid, gst in exact))
        assert posted.booked == net, seed
        for line, (paid, gst) in zip(posted.entries[0].lines, exact, strict=True):
            assert abs(Fraction(line.booked) - (paid - gst)) < Fraction(CENT), seed
        for either in (entry, posted.entries[0]):
            for apart in (True, False):
                assert sum(leg.debit for leg in legs(either, gst_leg=apart)) == 0, seed


def test_gst_is_rounded_once_and_not_call_by_call():
    """1,000 calls at 25 cents with GST hold $22.73 of it, not 20.00 (2 cents a call)."""
    lines = [worded("0.25", f"A{n}") for n in range(1_000)]
    whole = bill(lines, "inclusive", invoice("250.00", claims=True), ENTRY)
    assert whole.proof.gst == Decimal("22.73")
    assert whole.proof.other == 0
    without = [worded("0.0833", f"A{n}") for n in range(1_000)]
    whole = bill(without, "exclusive", invoice("91.63", claims=True), ENTRY)
    assert whole.proof.gst == Decimal("8.33")


def test_two_lines_that_per_line_rounding_would_break():
    """87.6543 + 12.3457 without GST: by line it would be 10.01, on the total it is 10.00."""
    lines = [worded("87.6543"), worded("12.3457")]
    whole = bill(lines, "exclusive", invoice("110.00", claims=True), ENTRY)
    assert [line.booked for line in whole.entries[0].lines] == [Decimal("96.42"), Decimal("13.58")]
    assert whole.proof.gst == Decimal("10.00")
    assert whole.proof.rounding == 0


def test_gst_free_lines_hold_none():
    """Roaming, say, where a rule says that it is free."""
    lines = [
        worded("11.00", "A", "gst"),
        worded("22.00", "B", "free"),
        worded("5.00", "C", "none"),
    ]
    whole = bill(lines, "inclusive", invoice("38.00", claims=True), ENTRY)
    assert [line.gst for line in whole.entries[0].lines] == [Decimal(1), 0, 0]
    assert [line.coding.tax for line in whole.entries[0].lines] == ["gst", "free", "none"]


def test_a_tax_code_of_the_users_own_stands_only_where_gst_is_claimed():
    """GST on Capital, say; without a claim it is the program's code for no reporting."""
    line = worded("110.00")
    coding = replace(line.coded.coding, tax_code="GST on Capital")
    line = replace(line, coded=replace(line.coded, coding=coding))
    taxes = {"gst": "GST on Expenses", "free": "GST Free Expenses", "none": "BAS Excluded"}
    for claims, name in ((True, "GST on Capital"), (False, "BAS Excluded")):
        whole = bill([line], "inclusive", invoice("110.00", claims=claims), ENTRY)
        first, *_ = legs(whole.entries[0], gst_leg=False)
        assert first.tax_named(taxes) == name


def test_no_credit_is_claimed_by_default():
    """Not even where the basis is declared: somebody has to hold the carrier's bill."""
    whole = bill([worded("110.00")], "inclusive", invoice("110.00"), ENTRY)
    assert whole.proof.gst == 0
    assert [line.coding.tax for line in whole.entries[0].lines] == ["none"]


def test_an_accrual_is_without_gst_where_the_basis_is_known():
    """And as the carrier reports it where it is not."""
    for basis, booked in (("inclusive", "100.00"), ("exclusive", "110.00"), ("unknown", "110.00")):
        whole = journal("accrual", [worded("110.00")], basis, ENTRY)
        assert whole.booked == Decimal(booked), basis


def test_what_a_bill_asks_beside_calls_is_a_line_of_its_own():
    """Plan fees on top; a credit below."""
    whole = bill([worded("295.9048")], "unknown", invoice("350.00"), ENTRY)
    last = whole.entries[0].lines[-1]
    assert (last.booked, last.coding.account, last.is_calls) == (Decimal("54.10"), "490", False)
    assert said(whole.proof) == ("cost 295.9048 - rounding 0.0048 + other charges 54.10 = 350.00")
    whole = bill([worded("295.9048")], "unknown", invoice("250.00"), ENTRY)
    assert whole.entries[0].lines[-1].booked == Decimal("-45.90")


def test_a_credit_month_rounds_away_from_zero_and_still_adds_up():
    """Negative costs are costs."""
    whole = journal("accrual", [worded("-0.005"), worded("-1.00")], "unknown", ENTRY)
    assert whole.booked == Decimal("-1.01")
    assert sum(leg.debit for leg in legs(whole.entries[0], gst_leg=True)) == 0


def test_a_reversal_takes_everything_back():
    """Account by account, to nothing."""
    whole = journal("accrual", [worded("1.00", "A"), worded("2.50", "B")], "unknown", ENTRY)
    (entry,) = whole.entries
    back = reversed_on(entry, date(2026, 11, 1), "back")
    sums: dict[str, Decimal] = {}
    for leg in (*legs(entry, gst_leg=True), *legs(back, gst_leg=True)):
        sums[leg.account] = sums.get(leg.account, Decimal(0)) + leg.debit
    assert set(sums.values()) == {Decimal(0)}
    assert back.number != entry.number
    assert back.code != entry.code


def test_sales_are_the_charges_with_their_gst_shared_over_the_lines():
    """Net and GST are as they were sealed; lines with GST add up to what is to be paid."""
    lines = (
        ("Calls", Decimal("10.01")),
        ("Included in your plan", Decimal("-3.33")),
        ("Line rental, 2 of them", Decimal("59.90")),
    )
    whole = sales([Sold(ENTRY, Coding("200", "gst"), lines, Decimal("6.66"))])
    (entry,) = whole.entries
    assert [line.net for line in entry.lines] == [net for _, net in lines]
    assert entry.gst == Decimal("6.66")
    assert entry.payable == whole.booked == Decimal("73.24") == steps(whole)
    assert entry.turned
    assert legs(entry, gst_leg=True)[-1].debit == entry.payable


def test_sales_without_gst_hold_none():
    """A client abroad, say."""
    line = (("Calls", Decimal("10.01")),)
    whole = sales([Sold(ENTRY, Coding("200", "free"), line, Decimal("0.00"))])
    assert (whole.booked, whole.proof.gst) == (Decimal("10.01"), 0)
