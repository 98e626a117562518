"""The statement: a report value through Jinja templates into an invoice-style PDF.

Templates see plain values and do no arithmetic: the sandbox refuses every operator. The only
thing worked out on the way is where the marks of a chart stand (``render.chart``). A
statement fetches nothing but files of the template folders' ``assets`` and ``fonts``, uses no
font but the shipped ones, and is the same bytes for the same report.

Text from calls is shown as it came, with two exceptions. What cannot be seen, or would turn
or cover its surroundings (controls, bidi overrides, zero-width letters, heaps of accents), is
shown by its number between single guillemets, U+202E for one; and a long text ends in an
ellipsis, since the workbook has the whole of it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import mimetypes
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from xml.sax.saxutils import escape as xml_escape

from maxo_reports.core.brand import Logo
from maxo_reports.core.checks import Finding
from maxo_reports.core.leaves import in_print
from maxo_reports.core.report import Report
from maxo_reports.errors import ConfigError
from maxo_reports.render import (
    RendererUnavailable,
    Style,
    SystemLibraryMissing,
    glyphs,
    sender,
    templates,
)
from maxo_reports.render.pdf import letters, listing, quick, seen, standard

SUFFIX = ".pdf"
MEDIA_TYPE = "application/pdf"

_TRUETYPE = b"\x00\x01\x00\x00"


def render(report: Report, style: Style, target: Path) -> tuple[Finding, ...]:
    """Write the statement to ``target``, which does not exist yet."""
    fonts = _fonts(style)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        variables = {
            "FONTCONFIG_FILE": _font_settings(fonts, Path(scratch)),
            "SOURCE_DATE_EPOCH": str(int(report.heading.pulled_at.timestamp())),
        }
        with _environment(variables), _listening() as troubles:
            weasyprint = _weasyprint()
            made, missing = _written(weasyprint, report, style)
    if troubles:
        raise ConfigError([f"template {report.definition.template}: {line}" for line in troubles])
    target.write_bytes(made)
    return glyphs.findings(missing, target.name)


def view(report: Report, style: Style) -> dict[str, object]:
    """Return what the templates see of a report."""
    return seen.view(report, style, _lists(report, style), None)


def page(report: Report, style: Style) -> str:
    """Fill the templates: the statement as HTML, which WeasyPrint then sets on pages."""
    return _filled(report, style, _lists(report, style))


def _written(weasyprint: Any, report: Report, style: Style) -> tuple[bytes, list[str]]:
    """Set the document on pages and write it; return the letters, too, that it cannot show.

    How many pages there are is known only when they are set, and long lists are not among them
    then: where that is printed, the document is set once more.
    """
    lists = _lists(report, style)
    long = [each for each in lists.values() if each.listed.is_long]
    options = standard.options(report, weasyprint.Attachment)
    # A cover and one page at the end is usual, and a right guess spares the second setting.
    total = sum(each.pages for each in long) + 2 if long else None
    painter = None
    while True:
        html, missing = glyphs.written_out(_filled(report, style, lists, total), style.folders)
        document = weasyprint.HTML(
            string=html + (quick.primer(long) if long else ""),
            base_url=style.folders[0].resolve().as_uri() + "/",
            url_fetcher=_fetcher(weasyprint.urls, style.folders, report.heading.brand.logo),
        ).render(**options)
        if not long:
            break
        painter = quick.Painter(document, long, style.theme, style.told)
        if painter.total == total:
            break
        total = painter.total

    def finish(document: Any, pdf: Any) -> None:
        if painter is not None:
            painter.finish(document, pdf)
        standard.finish(document, pdf)

    lacking = {*missing, *(letter for each in lists.values() for letter in each.listed.lacking)}
    return bytes(document.write_pdf(finisher=finish, **options)), sorted(lacking)


def _filled(
    report: Report, style: Style, lists: Mapping[str, quick.Long], total: int | None = None
) -> str:
    values = seen.view(report, style, lists, total)
    return templates.fill(report.definition.template, values, style.folders, report.places)


def _lists(report: Report, style: Style) -> dict[str, quick.Long]:
    """Lay out every list of calls, by the title of its section."""
    sections = [
        section
        for section in report.sections_for(SUFFIX.lstrip("."))
        if section.table is None and len(in_print(report, section))
    ]
    if not sections:
        return {}
    folder = style.folders[-1] / "fonts"  # ours, which every list is set in
    faces = (
        letters.load(folder / "Inter-Regular.ttf"),
        letters.load(folder / "Inter-SemiBold.ttf"),
    )
    return {
        section.spec.title: quick.counted(listing.made(section, report, f"calls-{at}", faces))
        for at, section in enumerate(sections, 1)
    }


# ---- WeasyPrint's world ---------------------------------------------------------------------


def _fonts(style: Style) -> list[Path]:
    """Find the fonts: the user's, and ours, without which Pango ends the whole program."""
    folder = style.folders[-1] / "fonts"
    for path in folder.glob("*.ttf"):
        with path.open("rb") as file:
            if file.read(len(_TRUETYPE)) == _TRUETYPE:
                return list(
                    dict.fromkeys(p.parent.resolve() for p in glyphs.font_files(style.folders))
                )
    raise RendererUnavailable(
        f"PDF needs the fonts that come with the templates, and there are none in {folder}: "
        "install the program again"
    )


def _font_settings(fonts: Sequence[Path], scratch: Path) -> str:
    """Write fontconfig's settings: these fonts and no others, and a cache of our own."""
    folders = "".join(f"<dir>{xml_escape(str(folder))}</dir>" for folder in fonts)
    settings = scratch / "fonts.conf"
    settings.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"{folders}"
        f"<cachedir>{xml_escape(str(scratch / 'cache'))}</cachedir>"
        "<config><rescan><int>0</int></rescan></config></fontconfig>",
        encoding="utf-8",
    )
    return str(settings)


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _listening() -> Iterator[list[str]]:
    """Gather what WeasyPrint logs as errors, such as a picture that cannot be had.

    Its warnings, about CSS that it does not know, go where the program's log goes. Dropped are
    the steps that it counts, fontTools' remarks, and advice on libraries, which doctor gives.
    """
    troubles = _Troubles()
    logger = logging.getLogger("weasyprint")
    quiet = {logging.getLogger(name): level for name, level in _QUIET.items()}
    before = {each: each.level for each in quiet}
    logger.addHandler(troubles)
    logger.addFilter(_is_no_advice)
    for each, level in quiet.items():
        each.setLevel(level)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            # It leaves the file of its colour profile to be closed by itself.
            warnings.simplefilter("ignore", ResourceWarning)
            yield troubles.lines
    finally:
        logger.removeHandler(troubles)
        logger.removeFilter(_is_no_advice)
        for each, level in before.items():
            each.setLevel(level)


_QUIET = {"weasyprint.progress": logging.WARNING, "fontTools": logging.ERROR}


def _is_no_advice(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Using fontTools instead of HarfBuzz")


class _Troubles(logging.Handler):
    """Keeps the errors that are logged, a line each."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(record.getMessage())


def _weasyprint() -> Any:
    """Load WeasyPrint, or say in one line what is missing; its own advice is not printed."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return import_module("weasyprint")
    except (ImportError, OSError) as error:
        # The loader's message goes on for lines; its first words name the library.
        reason = (str(error).splitlines() or [type(error).__name__])[0].split(": ")[0]
        raise SystemLibraryMissing(
            f"a PDF needs WeasyPrint and the Pango library ({reason})"
        ) from None


def _fetcher(urls: Any, folders: Sequence[Path], logo: Logo | None) -> Any:
    """Make the only way in: the logo, and files under ``assets`` or ``fonts`` of the folders."""
    base = folders[0].resolve()
    allowed = [folder.resolve() / name for folder in folders for name in ("assets", "fonts")]

    class Fetcher(urls.URLFetcher):  # type: ignore[misc]
        """Refuses everything else: other schemes, other hosts, other folders, links out."""

        def fetch(self, url: str, headers: object = None) -> Any:
            """Return a file's bytes; the user's folder comes before ours."""
            del headers
            if logo is not None and url == sender.LOGO:
                return urls.URLFetcherResponse(
                    url, logo.content, {"Content-Type": logo.media_type}
                )
            parts = urlsplit(url)
            path = Path(url2pathname(parts.path))
            if parts.scheme == "file" and not parts.netloc and path.is_relative_to(base):
                for folder in folders:
                    file = (folder / path.relative_to(base)).resolve()
                    if any(map(file.is_relative_to, allowed)) and file.is_file():
                        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                        return urls.URLFetcherResponse(
                            url, file.read_bytes(), {"Content-Type": kind}
                        )
            raise ValueError("not a file of the template folders' assets or fonts")

    return Fetcher()
