"""What the on-call engineer says to Swerve, and asks of it, from a terminal.

In: an alert's id, an account, a shift that is known, in words as one types them at night. Out: records of the contract
(expected, release, verdict, attention), over HTTP, into a topic or into a file (`reach`); answers that fit a screen.

The same words can be said in the console: what both need stands in `stream.oncall`. May never touch: the state of a
running stage, but through its API and its topics.
"""
