"""What several tests share: a busy month of 30,000 calls, made once."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from maxo_reports.sandbox import Book

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
