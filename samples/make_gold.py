"""Makes the sample's finished pack anew: ``samples/wattle-lane-dental/pack``.

The pack is what ``maxo-reports demo`` makes. The tests compare every later demo with it, so run
this (``make gold``) only after a change that was meant to show, and look at the difference.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from maxo_reports import engine


def main() -> int:
    """Make the pack and put its files beside the replies; the folder is replaced whole."""
    gold = engine.sample() / "pack"
    with tempfile.TemporaryDirectory() as folder:
        outcome = engine.demo(Path(folder), engine.Progress())
        if gold.exists():
            shutil.rmtree(gold)
        gold.mkdir()
        for path in (*outcome.pack.files, outcome.pack.folder / "manifest.json"):
            (gold / path.name).write_bytes(path.read_bytes())
            print(gold / path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
