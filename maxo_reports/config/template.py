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

# send = "approved"                        # "automatic": 'month' also sends what nobody looked at

# Who gets this account's reports ('maxo-reports send' and 'month'); once for each person:
# [[account.acme.mail]]
# address = "jane@acme.example"
# name    = "Jane Citizen"
# reports = ["statement"]                  # default: every report of the pack
# attach  = ["pdf", "xlsx"]                # kinds of its files; also "changes.csv", "*.json"

# [mail]                                   # without it there are drafts, which you send yourself
# sender      = "reports@example.com"
# sender_name = "Example Telecom"
# domains     = ["acme.example"]           # nothing is ever sent to another
# host        = "smtp.example.com"
# security    = "starttls"                 # port 587; or "tls", port 465; never readable
# user        = "reports@example.com"      # its password: the variable MAXO_MAIL_SECRET,
#                                          # secret_file, or the system's keyring

# [brand]                                  # who sends the statements; without it nobody is named
# name    = "Harbour Voice Pty Ltd"
# address = ["Level 3, 10 Example Street", "NEWCASTLE NSW 2300"]
# abn     = "51 824 753 556"               # its check digits are checked
# phone   = "02 5550 0100"
# email   = "accounts@example.com"
# web     = "example.com"
# logo    = ""                             # a .svg or .png inside this folder, "brand/logo.svg"
# colour  = "#0f5f8c"                      # dark enough to be read on white
# window  = { left = 20, bottom = 20, width = 90, height = 35 }   # of a DL envelope, in mm

# [account.acme.brand]                     # takes the place of [brand] for this account, whole
# name    = "Harbour Voice Pty Ltd"

# [account.acme.recipient]
# name    = "Acme Pty Ltd"                 # default: the account's name
# address = ["12 Wattle Lane", "BRISBANE QLD 4000"]

# [settings]
# out = "out"                              # where packs go
# archive = "archive"                      # where the carrier's replies are kept
# outbox = "outbox"                        # where drafts and the send ledger are
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
