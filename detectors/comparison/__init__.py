"""How does it compare? Now with before, an account with those like it, a group with everybody else.

In: the summaries of one tick of all shards. Out: `population` (every active account's mix, now and before, and who is
like whom), how far each moved (`movement`), whether a group did (`shift`), and findings about declared cohorts and
about the fleet (`cohorts`, `drift`, `series`, `renames`).

Nothing is compared with a fixed level: what all do together cancels. A finding of this room is never a page, since
one customer may migrate, and nobody is judged here by what he shares with others.

May never touch: ties, judgement, triage, a simulator, and whatever waits or asks the time.
"""
