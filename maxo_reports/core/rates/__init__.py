"""Rate cards, inferred rates, clients' charges: exact, in whole parts of a dollar."""
