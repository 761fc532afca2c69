"""Who are the honest accounts, and what do they ask for? Fleet, attributes, rhythms, adoption, and an hour's traffic.

In: draws of a world. Out: a fleet in columns, and batches of requests an hour.

May never touch: campaigns and scenarios: an honest account does not know that it stands beside one.
"""
