"""A labelled fleet: accounts, organisations, honest shocks, honest networks and campaigns, seeded.

Shares no code with a detector: a simulator that knew how it is judged would flatter its judge.
"""
