"""Measurements: how well Swerve finds campaigns, and how fast; each against a limit or a peer in the same run."""
