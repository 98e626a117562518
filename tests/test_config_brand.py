"""Sender, recipient and logo of maxo.toml: what is read, what is refused, all of it at once."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from maxo_reports import config
from maxo_reports.config import logo
from maxo_reports.config.colours import contrast
from maxo_reports.core.brand import NO_BRAND, EnvelopeWindow, Recipient
from maxo_reports.errors import ConfigError

ACCOUNT = '[account.acme]\nname = "Acme"\ntimezone = "Australia/Sydney"\n'
BRAND = """[brand]
name = "Harbour Voice Pty Ltd"
address = ["10 Example Street", "NEWCASTLE NSW 2300"]
abn = "51 824 753 556"
colour = "#7A1F5C"
logo = "logo.svg"
window = { left = 15 }
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'


def png(width: int = 2, height: int = 1, *, spoil: bool = False) -> bytes:
    """Write a PNG of grey pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content) ^ spoil
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0\x80\x80")
    parts = chunk(b"IHDR", head), chunk(b"IDAT", rows), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def load(folder: Path, text: str) -> config.Workspace:
    """Read a workspace with these settings, and a logo."""
    (folder / "logo.svg").write_text(SVG.format('<rect width="9" height="9"/>'))
    (folder / "maxo.toml").write_text(text)
    return config.load(folder, {})


def test_without_the_tables_nobody_is_named(tmp_path: Path) -> None:
    """Least of all the carrier: an account without a brand has none."""
    account = load(tmp_path, ACCOUNT).accounts["acme"]
    assert account.brand == NO_BRAND
    assert account.recipient is None


def test_a_brand_is_read_whole(tmp_path: Path) -> None:
    """Every account of the workspace sends under it, from the window that it names."""
    text = BRAND + ACCOUNT + '[account.acme.recipient]\naddress = ["12 Wattle Lane"]\n'
    account = load(tmp_path, text).accounts["acme"]
    brand = account.brand
    assert brand.name == "Harbour Voice Pty Ltd"
    assert brand.address == ("10 Example Street", "NEWCASTLE NSW 2300")
    assert (brand.abn, brand.colour) == ("51824753556", "#7a1f5c")
    assert brand.logo is not None
    assert brand.logo.media_type == "image/svg+xml"
    assert brand.window == EnvelopeWindow(left=15)
    assert account.recipient == Recipient("Acme", ("12 Wattle Lane",))


def test_an_accounts_own_brand_is_not_mixed_with_the_others(tmp_path: Path) -> None:
    """No logo, address or ABN of one sender stands beside the name of another."""
    text = BRAND + ACCOUNT + '[account.acme.brand]\nname = "Other Telco"\n'
    brand = load(tmp_path, text).accounts["acme"].brand
    assert (brand.name, brand.address, brand.abn, brand.colour) == ("Other Telco", (), "", "")
    assert brand.logo is None
    assert brand.window == EnvelopeWindow(left=15)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """With its table, and the nearest real name."""
    text = (
        '[brand]\nadress = ["x"]\nabn = "51 824 753 557"\ncolour = "#99ccff"\nlogo = "no.png"\n'
        'phone = "'
        + "0" * 61
        + '"\nwindow = { botom = 1, left = 60, width = 120 }\n'
        + ACCOUNT
        + "recipient = { address = ["
        + ", ".join(['"a"'] * 5)
        + ', "" ] }\nbrand = 3\n'
    )
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    told = "\n".join(caught.value.problems)
    for problem in (
        "[brand] name is missing",
        "'adress' is not a setting (did you mean 'address'?)",
        "its check digits are wrong",
        "has a contrast of 1.7:1 on white",
        "logo 'no.png' cannot be read: No such file",
        "phone has room for 60 letters",
        "[brand.window] 'botom' is not a setting (did you mean 'bottom'?)",
        "would show the right-hand column",
        "[account.acme.recipient] address: the window shows 4 lines below the name",
        "[account.acme.recipient] address has an empty line",
        "'account.acme.brand' must be a table",
    ):
        assert problem in told


def test_the_contrast_is_that_of_the_standard() -> None:
    """Black on white is 21:1, a colour on itself 1:1, and #767676 just passes on white."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#7a1f5c", "#7a1f5c") == pytest.approx(1)
    assert contrast("#777777", "#ffffff") < 4.5 < contrast("#767676", "#ffffff")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.png", png(), ""),
        ("a.svg", SVG.format('<use href="#a"/><path fill="url(#b)" d="M0 0"/>').encode(), ""),
        ("a.svg", b"\xef\xbb\xbf" + SVG.format("<title>t</title>").encode(), ""),
        ("a.jpg", b"\xff\xd8", "must be a .png or .svg"),
        ("a.png", b"GIF89a", "is not a PNG"),
        ("a.png", png()[:-5], "is a damaged PNG"),
        ("a.png", png(spoil=True), "is a damaged PNG"),
        ("a.png", png(5_000, 1), "4000 a side is the most"),
        ("a.png", png(4_000, 4_000), "16,000,000 pixels"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * (512 * 1024), "is larger than 512 KB"),
        ("a.svg", b"<svg", "is not a well-formed SVG"),
        ("a.svg", b"\xff\xfe<", "is not an SVG in UTF-8"),
        ("a.svg", b"<html/>", "is not an SVG"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "has neither a viewBox"),
        ("a.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "declares entities"),
        ("a.svg", SVG.format("<script>1</script>").encode(), "holds the element <script>"),
        ("a.svg", SVG.format('<image href="x"/>').encode(), "holds the element <image>"),
        ("a.svg", SVG.format("<style>a{}</style>").encode(), "holds the element <style>"),
        ("a.svg", SVG.format('<use href="http://x/"/>').encode(), "outside itself in href"),
        (
            "a.svg",
            SVG.format('<use xmlns:x="http://www.w3.org/1999/xlink" x:href="f"/>').encode(),
            "outside itself in href",
        ),
        ("a.svg", SVG.format('<g fill="url( http://x )"/>').encode(), "outside itself in fill"),
        ("a.svg", SVG.format('<g style="x:url(&quot;y&quot;)"/>').encode(), "outside itself"),
        ("a.svg", SVG.format('<g onload="x"/>').encode(), "holds a script in onload"),
        ("a.svg", SVG.format("<g>" * 50 + "</g>" * 50).encode(), "has too many elements"),
        ("a.svg", SVG.format("<g/>" * 6_000).encode(), "has too many elements"),
    ],
)
def test_a_logo_is_a_picture_and_nothing_else(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    """What is damaged, too large, or reaches outside itself is refused in words."""
    (tmp_path / name).write_bytes(content)
    if not says:
        assert logo.read(tmp_path, name).content == content
        return
    with pytest.raises(ValueError, match=says):
        logo.read(tmp_path, name)


def test_a_logo_is_a_file_inside_the_workspace(tmp_path: Path) -> None:
    """Not beside it, not by a link that leads out, and no folder or pipe."""
    inside = tmp_path / "books"
    inside.mkdir()
    (tmp_path / "out.png").write_bytes(png())
    (inside / "link.png").symlink_to(tmp_path / "out.png")
    (inside / "folder.png").mkdir()
    for name in ("../out.png", "link.png", str(tmp_path / "out.png")):
        with pytest.raises(ValueError, match="is not inside the workspace"):
            logo.read(inside, name)
    with pytest.raises(ValueError, match="is not a file"):
        logo.read(inside, "folder.png")
    with pytest.raises(ValueError, match="cannot be read"):
        logo.read(inside, "gone.png")
