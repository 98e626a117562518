"""Lets ``python -m maxo_reports`` do what the ``maxo-reports`` command does."""

import sys

from maxo_reports.cli import main

if __name__ == "__main__":
    sys.exit(main())
