"""What can a person say, whichever way he says it? In the console or on a terminal: the same words, the same errors.

In: words as people type them (`moment`: +7d, now), and a click. Out: expected shifts, verdicts, acknowledgements and
snoozes, to whoever judges (`voice`), kept over a restart.

A word holds from the next tick, and can be taken back. It never changes what was counted.

May never touch: HTTP, the terminal, Kafka: those who speak bring their own way.
"""
