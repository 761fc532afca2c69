"""What was found, held against what was planted? Parts of `make quality`, `strangers`, `learn` and `calibrate`."""
