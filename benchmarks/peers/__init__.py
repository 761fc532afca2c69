"""What does the same traffic cost others? A simpler job, written as each one's own documentation does it.

Comes in: requests on a topic of a real broker, keyed by account, which Swerve itself does not ask for. Goes out: CPU
seconds a million records. `__main__.py` is run in our environment; `with_*.py` run in environments of their own, which
`*.txt` here pin, and import nothing of Swerve.
"""
