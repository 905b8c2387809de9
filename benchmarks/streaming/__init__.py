"""What a long prediction holds in memory, and whether it goes on after a kill."""
