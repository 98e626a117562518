"""The templates' world: Jinja in a sandbox that lays out what it is given and works out nothing.

Templates see plain values and four filters. Arithmetic is refused, undefined names are refused,
text is escaped, and no file outside the template folders can be read.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import jinja2
from jinja2.exceptions import FilterArgumentError, SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from maxo_reports.core import money, numbering, period
from maxo_reports.errors import ConfigError

CENTS = 2
Folders = Sequence[Path]


SHIPPED = "shipped"
"""``shipped/statement.html`` is ours, also where the user has a ``statement.html``."""


def fill(
    template: str,
    view: Mapping[str, object],
    folders: Folders,
    places: int,
    undefined: type[jinja2.Undefined] = jinja2.StrictUndefined,
) -> str:
    """Fill a template with a view; ``money`` writes ``places`` decimals.

    The first of the folders that has the template is used. ``undefined`` is what stands for a
    name that is not there; without another it ends the filling. Raises ConfigError with the
    template's file and line.
    """
    return _filled(environment(folders, places, undefined), template, view, folders)


def filler(
    folders: Folders, places: int, *, escaping: bool, withheld: Collection[str]
) -> Callable[[str, Mapping[str, object]], str]:
    """Return what fills templates again and again, each compiled once.

    Plain text is not to be escaped; filters that are ``withheld`` are not there.
    """
    opened = environment(folders, places, escaping=escaping, withheld=withheld)
    return lambda template, view: _filled(opened, template, view, folders)


def _filled(
    opened: jinja2.Environment, template: str, view: Mapping[str, object], folders: Folders
) -> str:
    try:
        return opened.get_template(template).render(view)
    except _TROUBLE as error:
        raise ConfigError(_told(error, template, folders)) from None


class _Sandbox(ImmutableSandboxedEnvironment):
    """A sandbox whose templates lay out what they are given and work nothing out."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})
    intercepted_unops = frozenset({"+", "-"})

    def call_binop(self, *_: object) -> NoReturn:
        """Refuse arithmetic between two values."""
        raise SecurityError("templates do no arithmetic: every figure comes from the report")

    def call_unop(self, *_: object) -> NoReturn:
        """Refuse arithmetic on one value."""
        self.call_binop()


def environment(
    folders: Folders,
    places: int,
    undefined: type[jinja2.Undefined] = jinja2.StrictUndefined,
    *,
    escaping: bool = True,
    withheld: Collection[str] = (),
) -> jinja2.Environment:
    """Open the template folders: no function to call, and no filter but ours and the escape."""
    shipped = jinja2.PrefixLoader({SHIPPED: jinja2.FileSystemLoader(folders[-1])})
    templates = _Sandbox(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(folders), shipped]),
        autoescape=escaping,
        undefined=undefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.clear()
    escapes = {name: templates.filters[name] for name in ("e", "escape")}
    ours = {name: each for name, each in _filters(places).items() if name not in withheld}
    templates.filters = {**escapes, **{name: _strict(each) for name, each in ours.items()}}
    return templates


def _filters(places: int) -> dict[str, Callable[..., str]]:
    """Return the four filters; ``money`` writes the report's own number of decimals.

    With ``cents=true`` it writes two: what was rounded to the cent already.
    """

    def _money(value: object, sign: str = "", *, cents: bool = False) -> str:
        if not isinstance(value, Decimal):
            raise FilterArgumentError("money writes dollars, which are Decimal")
        return money.to_text(value, CENTS if cents else places, sign)

    return {"money": _money, "duration": _duration, "moment": moment, "phone": _phone}


def _strict(filter_: Callable[..., str]) -> Callable[..., str]:
    """Return a filter that uses what is undefined as text, so that its name is told."""

    def strict(value: object, *given: object, **named: object) -> str:
        return (
            str(value) if isinstance(value, jinja2.Undefined) else filter_(value, *given, **named)
        )

    return strict


def _duration(value: object) -> str:
    """Write seconds as ``98:05:09``."""
    if not isinstance(value, int):
        raise FilterArgumentError("duration writes whole seconds")
    return clock(value)


def clock(seconds: int) -> str:
    """Write seconds as ``98:05:09``."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def moment(value: object) -> str:
    """Write ``31 Oct 2026`` or ``31 Oct 2026, 23:59:59``, in whatever locale we run."""
    if not isinstance(value, date):
        raise FilterArgumentError("moment writes a date or a local time")
    day = period.day_name(value)
    return f"{day}, {value:%H:%M:%S}" if isinstance(value, datetime) else day


def _phone(value: object) -> str:
    """Write a number as people read it, ``02 5550 0140``."""
    return numbering.spaced(str(value))


_TROUBLE = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def _told(error: Exception, template: str, folders: Folders) -> str:
    """Say in one line what is wrong in which line of which template."""
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if "__jinja_exception__" in frame.f_globals:  # how Jinja marks a template's own frames
            template, line = Path(frame.f_code.co_filename).name, number
    message = str(error) or type(error).__name__
    if isinstance(error, jinja2.TemplateSyntaxError):
        template, line = str(error.name), error.lineno
    elif isinstance(error, jinja2.TemplateNotFound):
        message = f"{error.name} is in none of {', '.join(map(str, folders))}"
    return f"template {template}{f', line {line}' if line else ''}: {message}"
