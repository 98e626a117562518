"""The fault tests' shared carrier and loaded program; their counts at the end of the session."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]  # forks, kills and /proc
else:
    from harness import ALL, COUNTS, Carriers

    @pytest.fixture(scope="session")
    def carriers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carriers]:
        """Load the program, start the carrier, make the undisturbed packs."""
        with Carriers(tmp_path_factory.mktemp("faults")) as found:
            yield found

    def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
        """Print what was tried and what came of it."""
        if COUNTS:
            which = "every point" if ALL else "a choice of points; `make faults` tries every one"
            terminalreporter.section(f"faults: {which}", sep="-")
            for line in COUNTS:
                terminalreporter.write_line(line)
