"""Where records come from: files and pipes (`open`), and the formats of other platforms, one dialect a file."""
