"""What a long pretraining holds in memory, epoch after epoch."""
