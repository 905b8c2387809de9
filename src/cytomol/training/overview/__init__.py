"""What a backbone has learnt from and how it divides molecules: figures kept beside it, for its report."""
