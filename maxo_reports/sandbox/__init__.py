"""A small carrier on loopback: serves fictional calls over HTTP exactly as ``calls/list`` does.

For the demo, for tests and for trying the command line without a key. It listens on 127.0.0.1
only, and what it can do wrong on request (``faults``) may only ever be injected there: never
put a fault between a customer and the real carrier.

``book`` holds an account's calls, ``answers`` settles what the API page leaves open, ``habits``
settles it in other ways, ``faults`` says what can go wrong, and ``server`` is the carrier itself.
"""

from maxo_reports.sandbox.answers import HEADINGS, Order
from maxo_reports.sandbox.book import Book
from maxo_reports.sandbox.faults import FAULTS, random_faults
from maxo_reports.sandbox.habits import MOST_CALLS, Habits
from maxo_reports.sandbox.server import Asked, Sandbox

__all__ = [
    "FAULTS",
    "HEADINGS",
    "MOST_CALLS",
    "Asked",
    "Book",
    "Habits",
    "Order",
    "Sandbox",
    "random_faults",
]
