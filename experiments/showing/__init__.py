"""``lectern show`` and ``lectern present``: a claim in front of people, live, with its committed verdict beside it."""
