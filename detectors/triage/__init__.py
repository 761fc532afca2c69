"""What to look at beside it? Lists that a person reads where no alert can be raised, and what verdicts taught.

In: the population, how far accounts moved, what they carry; what people said of earlier alerts. Out: a list of
accounts to read (`watchlist`, ordered by `oddity`), and how alike an alert is to those that were campaigns
(`feedback`), which ranks.

Nothing of this room may raise, silence or change an alert: who cannot be named by the judgement is not accused by a
list. Scores order rows, they are no probabilities.

May never touch: judgement, and whatever waits, writes or asks the time.
"""
