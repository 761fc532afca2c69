"""What does a mapping make of a sample, which one would suit it, and what is it where nothing of it can be counted?

In: a mapping and the first records of a log. Out: words for a person: what each field became and what can be found with
it (`check`), a proposal in TOML (`suggest`), what a log looks like (`guess`), why none of it counts (`nothing`).

May never touch: what is counted. Reading a sample changes nothing.
"""
