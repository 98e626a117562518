"""The archive of one account: what the carrier said, and the calls derived from it.

``replies`` keeps every reply byte for byte under its hash, ``pulls`` which windows were asked
and what came of it, ``columns`` the calls in columns, which can be made again from the replies
at any time. ``files`` is the one way in which anything durable is written.
"""
