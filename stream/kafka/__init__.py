"""How does Swerve reach Kafka, which topics are there, and where does a reader stand in one?

In: the `[kafka]` section. Out: clients and topics read to their end (`broker`), topics made and checked (`topics`),
places that survive a restart (`bookmark`, `place`), writes that are all or nothing (`transactions`).

aiokafka is imported here and in `ingest` alone. Each call has a deadline and fails in one line that names the broker or
the topic.

May never touch: what the messages mean. Records come as bytes, and leave as bytes.
"""
