"""What does it mean? Which networks moved, whose hand it is, and which findings of many ticks are one story.

In: networks with their members, and the population. Out: `Finding`s with severity and evidence, grouped into incidents.
`groups` judges one tick, `incidents` ties ticks together; `operator` and `coordination` draw the traits, `hand` adds
up their log-odds.

`hand` and `belonging` alone add up what `learnt` holds, which `make learn` writes and nobody edits; `lessons` begins
there and adds what verdicts taught. `hand` knows traits by name and no account. What draws a line here stands in
docs/how-it-decides.md with its reason.

May never touch: triage, the life of an alert, a sentence for people, and a scenario's name.
"""
