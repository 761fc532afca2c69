"""`python -m stream` is `swerve`, where the script is not on the path."""

from stream.cli import main

main()
