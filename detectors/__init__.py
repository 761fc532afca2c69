"""Pure incremental models: numbers in, findings out. No clock, no I/O, no asyncio, no logging, no Kafka.

The rooms stand in the order of docs/how-it-decides.md, and each may build on those before it:

    counts      what was counted: accounts, targets, ticks, in columns
    comparison  how it compares: now and before, one account and those like it
    ties        who moved together: what accounts share, and the networks of it
    judgement   what it means: is a network one operator's, and what is its story
    triage      what to look at beside it: lists that people read, never alerts

`parameters` holds the numbers that all of them depend on, and `room` says how much is judged in the memory that there
is. `fleet` runs every room once a tick, and `why` asks them
afterwards. Source of the method, of every number and of its limits: docs/how-it-decides.md.
"""
