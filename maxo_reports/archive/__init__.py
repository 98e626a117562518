"""The archive of one account: what the carrier said, and the calls derived from it.

``replies`` keeps every reply byte for byte under its hash, ``pulls`` which windows were asked
and what came of it, ``proofs`` what else was found out, ``columns`` the calls in columns, which
``derive`` makes again from the replies at any time. ``files`` is the one way in which anything
durable is written, ``notes`` the one form of what is written beside replies and columns. ``care``
reads it all and names what is damaged; ``purge`` removes what is old, and ``purged`` remembers
that it did.
"""
