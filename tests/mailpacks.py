"""Small sealed packs and workspaces for mail: quick to make and to verify, and real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from postoffices import USER, PostOffice

from maxo_reports import pack
from maxo_reports.pack import Pack

NOW = 1_793_700_000
"""A moment on 3 November 2026, in Australia."""
TOTALS = {
    "calls": 12,
    "connected_calls": 10,
    "charged_calls": 7,
    "seconds": 3_725,
    "cost": "41.2075",
}


def sealed(
    out: Path,
    account: str = "acme",
    *,
    files: Mapping[str, bytes] | None = None,
    reports: Sequence[Mapping[str, Any]] | None = None,
    name: str = "Acme Pty Ltd",
    state: str = "settled",
    reasons: Sequence[str] = (),
    totals: Mapping[str, Any] = TOTALS,
    findings: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> Pack:
    """Seal the next revision of October 2026 for an account."""
    content = files or {f"{account}-statement.csv": f"calls of {account}\r\n".encode()}
    listed = reports or [
        {"name": "statement", "title": "Call statement", "files": list(content)},
    ]

    def write(folder: Path) -> pack.Written:
        for each, content_of in content.items():
            (folder / each).write_bytes(content_of)
        manifest = {
            "basis": {
                "account": account,
                "name": name,
                "period": {
                    "label": "2026-10",
                    "start": "2026-10-01T00:00:00+10:00",
                    "end": "2026-11-01T00:00:00+10:00",
                    "timezone": "Australia/Brisbane",
                },
                "state": state,
                "reasons": list(reasons),
                "cost_gst": "unknown",
                "calls_sha256": "0" * 64,
                "reports": {each["name"]: "0" * 64 for each in listed},
            },
            "pull": 1,
            "control_totals": dict(totals),
            "findings": list(findings),
            "reports": list(listed),
            **more,
        }
        return pack.Written(list(content), manifest)

    return pack.seal(out / account / "2026-10", write, lambda _: None)


def recipients(account: str, addresses: Sequence[str], attach: Sequence[str] = ("csv",)) -> str:
    """Write the tables of an account's recipients."""
    kinds = ", ".join(f'"{each}"' for each in attach)
    return "".join(
        f'[[account.{account}.mail]]\naddress = "{each}"\nattach = [{kinds}]\n'
        for each in addresses
    )


def account(name: str, *addresses: str, more: str = "") -> str:
    """Write an account whose recipients get its CSV."""
    head = f'[account.{name}]\nname = "{name.title()}"\ntimezone = "Australia/Brisbane"\n{more}\n'
    return head + recipients(name, addresses)


def mail(office: PostOffice | None = None, folder: Path | None = None, more: str = "") -> str:
    """Write ``[mail]``; with an office, so that letters are handed to it."""
    text = '[mail]\nsender = "reports@example.com"\nsender_name = "Example Telecom"\n'
    text += 'domains = ["acme.example", "beta.example"]\n'
    if office is not None and folder is not None:
        authorities = office.authorities(folder)
        text += f'host = "localhost"\nport = {office.port}\nuser = "{USER}"\n'
        text += f'ca_file = "{authorities}"\ntimeout = 5\n'
    return text + more


def books(folder: Path, *parts: str) -> Path:
    """Write a workspace."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "maxo.toml").write_text("\n".join(parts), encoding="utf-8")
    return folder
