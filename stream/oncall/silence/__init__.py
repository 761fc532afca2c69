"""What may keep alerts from people: what is in force, what a new silence would cover, and how it is confirmed?

In: announcements, snoozes, verdicts and allow-lists. Out: each as one `Silence` with who, toward what, until when and
why (`in_force`), what a new one would have covered (`preview`), what must be typed for it (`typed`), and the daily
summary of all of them to the sinks (`daily`).

Nothing here silences: it says what does. A silence is narrow, confirmed, visible and ends, or it is a defect.

May never touch: the console, a topic, a clock.
"""
