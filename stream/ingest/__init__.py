"""Requests in, frames out: the first stage, any number of workers.

In: the requests topic, in any dialect. Out: frames to the partitions of the shards, refused records to the dead-letter
topic with their reason, and commits that remember the source's clock.

A record is counted, or refused by reason, and never dropped silently. Reading and judging times is
`stream.pipeline.encode`'s; here is what Kafka adds: partitions that come and go, sizes, back-pressure.

May never touch: counts, alerts, and the stages that follow.
"""
