"""What the cell knows, measured: matching, imputation, measured profiles, missing ones, the tree, attribution."""
