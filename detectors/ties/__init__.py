"""Who moved together? What accounts share, in whose company they moved, and into which networks they fall.

In: the population of a tick, how far each account moved, and which rare values it carries. Out: evidence of company
(`neighbours`), targets that draw a crowd (`crowds`), networks with their members' odds (`networks`, `membership`), and
which network of the last tick each is (`tracks`).

What comes by chance is measured, never assumed: evidence is dealt anew among accounts that are alike. Networks are cut
by what their accounts share, not by who moves, so a crowd of adopters is none.

May never touch: judgement, triage, and the names of things: values are numbers here.
"""
