"""The commented ``maxo.toml`` that ``init`` writes."""

from __future__ import annotations

import os
from pathlib import Path

from maxo_reports.config.accounts import FILE
from maxo_reports.errors import ConfigError, UsageError

TEMPLATE = """\
# maxo-reports: the accounts of this workspace. Check it with:  maxo-reports doctor

[account.acme]                             # an id of your own, used in folder names
name     = "Acme Pty Ltd"                  # as it stands on the statement
timezone = "Australia/Brisbane"            # the time zone that the carrier keeps the account in
base_url = "https://myapi.maxo.com.au/"    # a reseller's own API host, if it has one
cost_gst = "unknown"                       # "inclusive" or "exclusive", once a bill told you

# The API key, from My Account Portal, with the permission "Call History/Get Call History".
# It is read from the environment variable MAXO_API_KEY unless you name another place:
# api_key_env  = "ACME_MAXO_KEY"
# api_key_file = "acme.key"                # a file that only you can read (chmod 600)

# billing_day = 1                          # the day on which the account's month begins
# calls_per_month = 30000                  # spares some requests in the first month
# directory = ""                           # its own number directory: "acme.csv" or .xlsx

# [settings]
# out = "out"                              # where packs go
# archive = "archive"                      # where the carrier's replies are kept
# requests_in_flight = 2                   # requests at the same time
# tries = 6                                # how often a request is tried
# connect_timeout = 10                     # seconds
# read_timeout = 60                        # seconds without a byte
# request_deadline = 180                   # seconds for one whole request
# settle_hours = 48                        # a month is provisional until so long after its end
# crosscheck = "light"                     # none, light (charged calls asked alone), full
# trust_environment = false                # use the machine's proxy settings
# directory = ""                           # who has which number: "directory.csv" or .xlsx

# [behaviour]                              # what is told of a month's calls; 0 tells nothing
# hours = "07:00-19:00"                    # when calls are expected
# days = ["mon", "tue", "wed", "thu", "fri"]
# out_of_hours_dollars = 50                # of one number in a month, from which on it is told,
# out_of_hours_percent = 20                # if it is so much of the number's cost
# premium_dollars = 20
# international_dollars = 100
# long_minutes = 240                       # charged calls as long as that
# short_calls = 10                         # so many calls to one number ...
# short_seconds = 30                       # ... of so many seconds at most ...
# short_within_minutes = 60                # ... within so many minutes
# jump_percent = 200                       # so far above the mean of the months before ...
# jump_dollars = 50                        # ... and by so much
# jump_months = 3
# new_numbers = true                       # numbers without a call in the months before
# silent_months = 3                        # numbers without a call for so many months
"""


def write_template(folder: Path) -> Path:
    """Write a commented ``maxo.toml``; one that is there is never overwritten."""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        if not folder.is_dir():
            raise UsageError(f"{folder} is a file, not a folder: name another") from None
        raise UsageError(f"{path} is there already; it is left as it is") from None
    except OSError as problem:
        raise ConfigError(f"cannot write {path}: {problem.strerror}") from None
    return path
