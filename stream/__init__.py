"""Everything that waits, fails, or reads the world: Kafka, files, HTTP, alerts on their way out."""
