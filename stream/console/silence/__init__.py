"""How does somebody silence something in the console? Asked narrowly, previewed, confirmed, and undone with a click."""
