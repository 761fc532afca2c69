"""What happens in the fleet? Stories with honest shocks and networks, campaigns with their operators, and the truth.

In: a fleet, a course of releases. Out: shifts of accounts over time, and labels: who belongs to which campaign.

May never touch: how it is written, and any detector.
"""
