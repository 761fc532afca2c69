"""What is drawn, and from which ranges? Seeded draws, models and capabilities, names, a random world.

In: a seed. Out: numbers and names, the same for the same seed on any machine.

May never touch: accounts and what they do: the rooms after it draw from here, never back.
"""
