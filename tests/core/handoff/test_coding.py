"""Coding: rules in order, each part from the first that says so; the unmapped are named."""

from __future__ import annotations

from decimal import Decimal

from maxo_reports.core.handoff.coding import Coding, Portion, Rule, coded, coding_of, idle
from maxo_reports.core.ledger import Totals


def portion(category: str, cost: str = "1", **values: str) -> Portion:
    """Make the calls of one group."""
    return Portion({"category": category, **values}, Totals(1, 1, 1, 60, Decimal(cost)))


def rule(account: str = "", /, **where: str | tuple[str, ...]) -> Rule:
    """Make a rule for some calls that says an account, or none."""
    wanted = {k: (v,) if isinstance(v, str) else v for k, v in where.items()}
    return Rule(wanted, {"xero": account} if account else {})


def test_each_part_is_from_the_first_rule_that_says_so():
    """The account from the category, the tracking from the cost centre."""
    rules = (
        Rule({"cost_centre": ("Front desk",)}, tracking={"xero": (("Region", "Brisbane"),)}),
        Rule({"category": ("Mobile",)}, {"xero": "489"}, tax="gst", contact="MaxoTel"),
        Rule(
            {"category": ("*",)},
            {"xero": "400"},
            tax="free",
            tracking={"xero": (("Region", "Other"),)},
        ),
    )
    values = {"category": "Mobile", "cost_centre": "Front desk"}
    assert coding_of(values, rules, "xero") == Coding(
        "489", "gst", (("Region", "Brisbane"),), "MaxoTel"
    )
    assert coding_of({"category": "Local"}, rules, "xero") == Coding(
        "400", "free", (("Region", "Other"),)
    )


def test_calls_abroad_are_taxable_unless_a_rule_says_otherwise():
    """Never inferred from a category's name: Div 85 makes them taxable."""
    rules = (rule("489", category="International - New Zealand"),)
    assert coding_of({"category": "International - New Zealand"}, rules, "xero").tax == "gst"


def test_unmapped_calls_are_named_with_their_dollars():
    """By category, and by every dimension that some rule looks at; never dropped."""
    rules = (rule("489", category=("Mobile", "Local"), service_number="0255500140"),)
    lines, lacking = coded(
        [
            portion("Mobile", "1.5", service_number="0255500140"),
            portion("Mobile", "2", service_number="0255500141"),
            portion("Mobile", "3", service_number="0255500141"),
            portion("13/1300", "4", service_number="0255500140"),
        ],
        rules,
        "xero",
        ["category"],
    )
    assert [line.totals.cost for line in lines] == [Decimal("1.5")]
    assert [(each.values, each.totals.cost) for each in lacking] == [
        ({"category": "13/1300", "service_number": "0255500140"}, Decimal(4)),
        ({"category": "Mobile", "service_number": "0255500141"}, Decimal(5)),
    ]


def test_an_account_of_other_books_maps_nothing():
    """What Xero calls it says nothing of MYOB."""
    _, lacking = coded([portion("Mobile")], (rule("489", category="Mobile"),), "myob", [])
    assert len(lacking) == 1


def test_lines_are_split_by_what_is_asked_and_by_coding():
    """One line for each value, and one more where the coding differs within a value."""
    rules = (
        Rule({"service_number": ("2",)}, tracking={"xero": (("Region", "North"),)}),
        rule("489", category="*"),
    )
    every = [
        portion("Mobile", "1", service_number="1"),
        portion("Mobile", "2", service_number="2"),
        portion("Local", "4", service_number="1"),
        portion("Mobile", "8", service_number="3"),
    ]
    lines, lacking = coded(every, rules, "xero", ["category"])
    assert not lacking
    assert [(line.values["category"], line.totals.cost) for line in lines] == [
        ("Local", Decimal(4)),
        ("Mobile", Decimal(9)),
        ("Mobile", Decimal(2)),
    ]
    together, _ = coded(every, (rule("489", category="*"),), "xero", [])
    assert [line.totals.cost for line in together] == [Decimal(15)]
    assert together[0].totals.calls == 4


def test_rules_that_fit_nothing_are_named():
    """A mistyped cost centre would lose its tracking without a word."""
    rules = (rule("489", category="Mobile"), rule("400", category=("Lokal", "Loc")))
    assert idle([portion("Mobile"), portion("Local")], rules) == (
        "rule 2 (category 'Lokal' or 'Loc') fits no calls of the period",
    )
