"""What can a person type? One file a command, in the folders that `swerve --help` shows as panels.

    begin          demo, backtest, backfill, simulate, watch: nothing else is needed
    through_kafka  topics, ingest, detect, correlate, run, reshard, dlq
    on_call        what the engineer says to a running Swerve, and asks of it
    set_up         shadow, canary, sinks, config

In: arguments, which `arguments` describes where several commands share them, and logs, which `replay` reads for them.
Out: an exit code, and SwerveError for everything that a person can mend, which `stream/cli.py` tells in one line.

May never touch: nothing below imports a command; what two commands need stands in a room, not here.
"""
