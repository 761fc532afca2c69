"""What does it cost: processors, memory, time on a real broker? For `make bench`, `make sizing`, and by themselves."""
