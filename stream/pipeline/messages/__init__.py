"""What must hold of a message before it is sent, and after it is read?

In: frames and summaries. Out: parts that fit into a message, or a refusal of columns that do not agree.

May never touch: the network, files, a clock.
"""
