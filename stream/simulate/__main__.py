"""`python -m stream.simulate`: the same as `swerve simulate`."""

from __future__ import annotations

import sys

import typer

from stream.commands.begin.simulate import simulate
from stream.errors import SwerveError

if __name__ == "__main__":
    try:
        typer.run(simulate)
    except SwerveError as error:
        sys.stderr.write(f"swerve: {error}\n")
        sys.exit(error.exit_code)
