"""Pure incremental models: numbers in, findings out. No clock, no I/O, no asyncio, no logging, no Kafka."""
