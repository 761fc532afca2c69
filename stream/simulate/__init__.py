"""A labelled fleet: accounts, organisations, honest shocks, honest networks and campaigns, seeded.

    chance     what is drawn, from which ranges, with which seed
    customers  honest accounts: what they ask for, when, with which attributes
    events     what happens: releases' stories, shocks, honest networks, campaigns, and the truth about them
    writing    records as bytes, to a file or Kafka; dirt; how hard it is

In: a scenario's name (`scenarios`) and a seed. Out: records in order, the same bytes for the same seed, and who is who.
May never touch: a detector. A simulator that knew how it is judged would flatter its judge.
"""
