"""What must hold of a message before it is sent, after it is read, and of all that tell of one tick?

In: frames and summaries. Out: parts that fit into a message, a refusal of columns that do not agree, and ticks of which
every shard has told.

May never touch: the network, files, a clock.
"""
