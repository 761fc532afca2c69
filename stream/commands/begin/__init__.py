"""Commands that need no broker and no configuration: see it work, replay a log, make a log, follow a log.

In: files, standard input, a scenario's name. Out: alerts as NDJSON, a page, a view on the terminal, exit codes as the
contract has them (section 6).

All of them feed the one composition (`stream.pipeline`), so they say what the Kafka stages would say of the same
records. May never touch: Kafka, but for `simulate --kafka`, which loads its client only then.
"""
