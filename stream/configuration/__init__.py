"""What can be configured, what does each key mean, and which value is in force?

In: one TOML file and the environment. Out: frozen sections (`sections`), one object of them (`settings.load`), and one
sentence a key (`meaning`), from which docs/configuration.md is written. An unknown key and a value that cannot be are
refused with key, value and what was expected.

Nobody else reads the environment or TOML. A value here is a number or a name, never an open connection.

May never touch: Kafka, files other than its own, and what uses it.
"""
