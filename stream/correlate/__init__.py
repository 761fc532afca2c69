"""Summaries in, alerts out: the third stage, one that is active and others that stand by.

In: the summaries of all shards, and what people know (`knowledge`: releases, expected shifts, verdicts, attention).
Out: alert records in transactions (`book`), and from their topic to the sinks (`outgoing`); the console, where it runs.

Whoever takes over fences who was there before, and skips what the topic holds already. How alerts live is
`stream.alerts`'; here is who may write them.

May never touch: single requests. It knows a fleet by its summaries.
"""
