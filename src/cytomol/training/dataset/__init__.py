"""What a backbone learns from: molecules, profiles and targets, batch by batch."""
