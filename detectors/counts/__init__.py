"""What was counted? Requests in columns, the ticks in which they count, and every account's counts lately and before.

In: columns of requests (`rows`), each with its source's time. Out: one `summary` a closed tick, with the counts of
cohorts and of every active account; and the state of a shard, as bytes that only `snapshot` reads and writes.

Nothing here compares, judges, or knows another shard: a worker that only counts loads neither river nor scipy.stats.
Memory is bounded by the parameters, whatever names a customer makes up. `resharding` and `recoding` say what becomes
of the counts where shards are divided anew or another number of targets is told apart.

May never touch: the other rooms of detectors, `stream`, a clock, a file, the network.
"""
