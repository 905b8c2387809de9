"""What pretraining eats: schema, readers, checks, scaling, the planted corpus."""
