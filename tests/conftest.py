"""What several tests share: a busy month of 30,000 calls, made once."""

from __future__ import annotations

import importlib.util
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from maxo_reports.sandbox import Book

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts the tests in the background has them deaf to Ctrl-C, and with them
    # every process that they start; but Ctrl-C is among what is tested.
    signal.signal(signal.SIGINT, signal.default_int_handler)
GENERATOR = Path(__file__).parents[1] / "samples" / "generate.py"


@pytest.fixture(scope="session")
def busy_calls() -> tuple[dict[str, Any], ...]:
    """Make October 2026 of the contact centre in Brisbane: 30,000 calls, and some around it."""
    spec = importlib.util.spec_from_file_location("busy_generator", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    # NamedTuple looks its own module up while the script is loading.
    sys.modules[spec.name] = generator
    spec.loader.exec_module(generator)
    return tuple(generator.calls_for("busy"))


@pytest.fixture(scope="session")
def busy_book(busy_calls: tuple[dict[str, Any], ...]) -> Book:
    """File the busy month for the sandbox."""
    return Book.from_calls(busy_calls, timezone="Australia/Brisbane")
