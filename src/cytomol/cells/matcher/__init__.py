"""What matches molecules and profiles without pretraining, fitted on a corpus."""
