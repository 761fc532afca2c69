"""What does a person read after a backtest? One self-contained HTML page."""
