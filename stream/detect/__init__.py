"""Frames in, summaries out: the second stage, any number of workers, each with the state of its partitions.

In: frames, a chain for each source. Out: one summary a closed tick and shard, the same bytes whenever it is told again.

`engine` is what `stream.stages.shell` drives, `worker` puts both together. It counts and does not judge: what it counts
with is detectors.counts.

May never touch: alerts, catalogues, people's words, the console.
"""
