"""The month as cron has it: every day the same command, nothing twice, one line an account."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from carriers import KEY, OCTOBER, SYDNEY, call
from mailpacks import mail
from postoffices import SECRET, Fault, PostOffice
from workspaces import DAY, OCTOBER_ENDS, Fickle, Ran, ran

from maxo_reports.archive import files
from maxo_reports.cli import clock

JANE, BOB = "jane@acme.example", "bob@beta.example"
CALLS = [call(n, OCTOBER + 90_000 * n, zone=SYDNEY, cost=f"0.{n:02}") for n in range(1, 21)]
NUMBER = "0491570006"
QUICK = """
version = 1
title = "Call statement"
formats = ["xlsx"]
filename = "{account}-{period}-quick"
[[section]]
kind = "summary"
title = "Summary"
show = ["calls", "connected", "charged", "seconds", "cost"]
[[section]]
kind = "itemised"
title = "Calls"
show = ["call_id", "started", "a_party", "b_party", "seconds", "cost"]
[[section]]
kind = "changes"
title = "Changes"
[[section]]
kind = "exceptions"
title = "Exceptions"
[[section]]
kind = "checks"
title = "Checks"
"""
"""A report that is quick to make and to read back."""


class Month:
    """Two accounts at one carrier, a post office, and a day of our own."""

    def __init__(self, folder: Path, carrier: Fickle, office: PostOffice) -> None:
        self.folder, self.carrier, self.office = folder, carrier, office
        self.now = OCTOBER_ENDS + 3 * DAY
        (folder / "reports").mkdir(parents=True)
        (folder / "reports" / "quick.toml").write_text(QUICK)
        self.set()

    def set(self, acme: str = "", beta: str = "", recipients: bool = True) -> None:
        """Write the settings."""
        text = [mail(self.office, self.folder)]
        for name, more, to in (("acme", acme, JANE), ("beta", beta, BOB)):
            text.append(
                f'[account.{name}]\nname = "{name.title()}"\ntimezone = "{SYDNEY}"\n'
                f'base_url = "{self.carrier.base_url}"\n{more}\n'
            )
            if recipients:
                text.append(f'[[account.{name}.mail]]\naddress = "{to}"\nattach = ["xlsx"]\n')
        (self.folder / "maxo.toml").write_text("\n".join(text))

    def run(self, *words: str) -> Ran:
        """Run the month."""
        found = ran(self.folder, "month", "--report", "quick", *words)
        for text in (found.out, found.err):
            assert NUMBER not in text
            assert KEY not in text
            assert SECRET not in text
        return found

    def pack(self, account: str = "acme", revision: int = 1) -> str:
        """Return a pack's folder."""
        return str(self.folder / "out" / account / "2026-10" / f"r{revision}")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setenv("MAXO_MAIL_SECRET", SECRET)
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture
def month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Month]:
    """Open carrier and post office, on the third day after October."""
    with Fickle(CALLS) as carrier, PostOffice().open() as office:
        found = Month(tmp_path / "books", carrier, office)
        monkeypatch.setattr(clock, "now", lambda: found.now)
        yield found


def test_every_day_the_same_and_nothing_twice(month: Month) -> None:
    """Provisional, then settled and drafted, then approved and sent, then nothing more."""
    month.now = OCTOBER_ENDS + DAY
    first = month.run()
    assert first.code == 0
    assert len(first.out.splitlines()) == 2
    assert (
        "acme 2026-10: provisional r1; 20 calls, $2.10; no letter before it is settled"
        in first.out
    )
    assert not (month.folder / "outbox" / "outbox.sqlite").exists()
    month.now += 2 * DAY
    second = month.run()
    assert second.code == 0
    assert "acme 2026-10: settled r2; 20 calls, $2.10; 1 drafted" in second.out
    drafts = sorted((month.folder / "outbox" / "drafts").rglob("*.eml"))
    assert [path.name for path in drafts] == [f"r2-quick-{JANE}.eml", f"r2-quick-{BOB}.eml"]
    assert b"revision" not in drafts[0].read_bytes()  # nobody had the first one
    drafts[0].unlink()  # sent by hand, and put away
    third = month.run("--account", "acme")
    assert "1 drafted before" in third.out
    assert not drafts[0].exists()
    assert month.office.saw.attempts == 0

    assert ran(month.folder, "send", month.pack("acme", 2), "--approve", "--draft").code == 0
    month.office.plan = [Fault("rcpt", "451 later")] * 3
    late = month.run("--account", "acme")
    assert late.code == 6
    assert (
        "acme 2026-10: settled r2; 20 calls, $2.10; 1 waiting; jane@acme.example: 451" in late.out
    )
    assert month.run("--account", "acme").code == 0
    assert [each.recipients for each in month.office.saw.taken] == [[JANE]]
    assert "1 sent before" in month.run("--account", "acme").out
    assert len(month.office.saw.taken) == 1


def test_automatic_sends_the_first_clean_issue_and_drafts_a_correction(month: Month) -> None:
    """Said in words in the settings; what replaces a letter wants a person."""
    month.set(acme='send = "automatic"')
    done = month.run()
    assert done.code == 0
    assert "acme 2026-10: settled r1; 20 calls, $2.10; 1 sent" in done.out
    assert "beta 2026-10: settled r1; 20 calls, $2.10; 1 drafted" in done.out
    acme = ("--account", "acme")
    month.carrier.hold([*CALLS, call(99, OCTOBER + 5, zone=SYDNEY, cost="9.00")])
    month.now += DAY
    month.run(*acme)
    month.now += 3 * DAY
    after = month.run(*acme)
    assert "1 drafted" in after.out
    newest = max((month.folder / "outbox" / "drafts" / "acme").rglob("*.eml"))
    assert b"replaces revision 1" in newest.read_bytes()
    assert [each.recipients for each in month.office.saw.taken] == [[JANE]]


@pytest.mark.parametrize("calls", [[], [{**CALLS[0], "direction": "SIDEWAYS"}]])
def test_automatic_leaves_what_is_odd_to_a_person(
    month: Month, calls: list[dict[str, object]]
) -> None:
    """An empty month and one with findings are drafted."""
    month.set(acme='send = "automatic"')
    month.carrier.hold(calls)
    done = month.run("--account", "acme")
    assert "1 drafted" in done.out
    assert "not sent by itself" in done.out
    assert month.office.saw.attempts == 0


def test_one_accounts_trouble_keeps_no_other_back(month: Month) -> None:
    """A key that is missing, a carrier that refuses: the exit code is the worst, once each."""
    month.set(acme='api_key_env = "NOWHERE"')
    done = month.run()
    assert done.code == 2
    acme, beta = done.out.splitlines()
    assert acme.startswith("acme 2026-10: FAILED: no API key")
    assert "beta 2026-10: settled r1; 20 calls, $2.10; 1 drafted" in beta
    quiet = month.run("--quiet")
    assert quiet.out.splitlines() == [acme]


def test_what_was_left_behind_is_told_until_somebody_looks(month: Month) -> None:
    """A letter of which nobody knows, and one that was approved for a pack of before."""
    month.set(acme='send = "automatic"')
    month.office.plan = [Fault("dot")]
    acme = ("--account", "acme")
    done = month.run(*acme)
    assert done.code == 6
    assert "1 uncertain" in done.out
    month.now += 31 * DAY
    month.carrier.hold([])
    later = month.run(*acme)
    assert later.code == 6
    assert "1 uncertain of before" in later.out
    assert "acme 2026-10-01..2026-11-01 r1 quick to jane@acme.example" in later.out
    assert ran(month.folder, "outbox", "resolve", "1", "--sent").code == 0
    assert month.run(*acme).code == 0
    assert len(month.office.saw.taken) == 1


def test_two_months_at_once_are_refused(month: Month) -> None:
    """The second says who is at work, and does nothing."""
    lock = month.folder / "outbox" / "month.lock"
    with files.only_one(lock, "the month"):
        refused = month.run()
    assert refused.code == 4
    assert "is working on the month" in refused.err
    assert not (month.folder / "out").exists()


def test_the_log_is_a_file_or_standard_error(
    month: Month, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each line has its second; neither keys nor telephone numbers stand in it."""
    month.set(recipients=False)
    with caplog.at_level(logging.DEBUG):
        said = month.run("--account", "acme")
    assert said.err.splitlines()[0] == "2026-11-03T13:00:00Z acme 2026-10: begun"
    assert "no recipients" in said.out
    assert KEY not in caplog.text
    path = tmp_path / "month.log"
    assert month.run("--account", "acme", "--log", str(path)).err == ""
    assert month.run("--account", "acme", "--log", str(path), "--offline").code == 0
    lines = path.read_text().splitlines()
    assert len([line for line in lines if line.endswith("begun")]) == 2
    assert all(line.startswith("2026-11-03T13:00:00Z ") for line in lines)
    assert month.run("--log", str(tmp_path)).code == 2


def test_numbers_in_trouble_are_taken_out(month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an error quotes."""
    from maxo_reports.engine import packs
    from maxo_reports.errors import ArchiveError

    def fails(*_: object, **__: object) -> None:
        raise ArchiveError(f"call from {NUMBER} to +61 2 5550 0140 is damaged")

    monkeypatch.setattr(packs, "run", fails)
    done = month.run()
    assert done.code == 4
    assert "call from [number] to [number] is damaged" in done.out
    assert "5550" not in done.out + done.err


def test_json_says_all_of_it(month: Month) -> None:
    """One object: each account's run, letters, exit code."""
    done = month.run("--json")
    said = json.loads(done.out)["accounts"]
    assert [each["account"] for each in said] == ["acme", "beta"]
    assert said[0]["exit_code"] == 0
    assert said[0]["run"]["cost"] == "2.10"
    assert said[0]["letters"][0]["did"] == "drafted"
