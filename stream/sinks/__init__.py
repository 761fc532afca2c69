"""How does an alert reach a person? One file a receiver, and around any of them what all need.

In: alert records. Out: posts, lines, pages; a ledger of what each sink took (`ledger`), so that nothing is sent twice;
the alert that always fires (`watchdog`).

A sink says whether a failure may pass; `delivery` decides when to try again, and holds back what was snoozed. Which
sinks there are is one table, `catalogue`. Secrets stand in no line of the log.

May never touch: whether something is an alert. It sends what it is given, or says that it cannot.
"""
