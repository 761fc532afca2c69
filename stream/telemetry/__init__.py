"""What does Swerve tell of itself? Log lines, metrics, and whether it would find a campaign today.

In: occurrences, by name (`metrics`); the fleet after each tick (`per_tick`); a composition without Kafka that is to
tell them (`without_kafka`). Out: OpenMetrics, structured lines (`log`), one warning for attributes that the traffic
lacks, and an alert of its own where a planted campaign goes unseen (`canary`).

An account id is never a label, and a metric is named nowhere else.

May never touch: a decision. With all of this off, the same alerts come.
"""
