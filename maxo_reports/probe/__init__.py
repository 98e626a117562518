"""The probe: asks a real account what the API page leaves open, in a few small requests.

At most ``MOST_REQUESTS`` of them, repeats after a failure included, one after the other. Each
asks for ``SAMPLE`` calls at most; only the spans that are looked at for late changes are asked
without such a limit, and they held ``LATE`` calls, or as many as a sample, when they were asked
before. No figure is taken from any reply. What is kept is one of them and a note of it, so that
the next probe can tell whether calls changed since.

``course`` is what is asked and in what order, ``asking`` how, ``earlier`` what the archive knows
from before. What an answer means is the core's (``questions``, ``sight``, ``compared``).
"""

from maxo_reports.probe.asking import SAMPLE
from maxo_reports.probe.course import MOST_REQUESTS, Probed, probe
from maxo_reports.probe.earlier import LATE

__all__ = ["LATE", "MOST_REQUESTS", "SAMPLE", "Probed", "probe"]
