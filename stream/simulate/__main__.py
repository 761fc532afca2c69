"""`python -m stream.simulate`: the same as `swerve simulate`."""

import typer

from stream.simulate.command import simulate

if __name__ == "__main__":
    typer.run(simulate)
