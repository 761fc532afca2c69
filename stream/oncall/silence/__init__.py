"""What may keep alerts from people: what is in force, what a new silence would cover, and how it is confirmed."""
