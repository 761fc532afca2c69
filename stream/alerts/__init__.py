"""The life of every alert: when it begins, what it says, when it ends. Findings in, records that changed out.

In: the findings of a tick, announced shifts, verdicts. Out: alert records of the contract, by one table of transitions
(`transitions`, drawn in docs/alert-life.md), with a sentence for a tired engineer and numbers that can be recomputed.

Time is the tick's. The same findings give the same records and the same ids, in every replay.

May never touch: a clock, Kafka, a sink, and how a finding came about.
"""
