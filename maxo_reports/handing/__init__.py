"""The accountant's handoff: a period's calls as files that accounting programs import.

mapping (``handoff.toml``) + ledger of a sealed pack -> posting set -> files of each target ->
read back and tied out -> sealed handoff -> bundle.
"""
