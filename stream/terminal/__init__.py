"""What does a person see in a terminal? The fleet while it runs, a bar while it replays, a table of answers.

In: the read model of a run, rows to print. Out: text on the terminal, and none where nobody watches.

May never touch: what it shows. It is drawn from copies, and nothing waits for it.
"""
