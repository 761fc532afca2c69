"""What the on-call engineer says to Swerve, and asks of it, from a terminal."""
