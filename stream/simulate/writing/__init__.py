"""How does a fleet become a log? Lines of JSON in order, with or without dirt, to a file, a pipe or Kafka.

In: a story's traffic. Out: bytes, and sentences that say how hard the story is (`describe`, `ties`).

May never touch: what happens: dirt is broken bytes, late and repeated records, never another story.
"""
