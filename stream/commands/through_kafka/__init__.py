"""Commands around Kafka: make the topics, start the stages, divide them anew, look at what was refused.

In: the configuration. Out: a process that runs until it is stopped, or one change of topics that is told first.

A stage's command only starts it: what it does stands in `ingest`, `detect`, `correlate`. May never touch: the formats
of records; a command that reads a topic goes through `stream.kafka`.
"""
