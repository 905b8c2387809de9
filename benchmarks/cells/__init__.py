"""What the cell knows, measured: matching, imputation, measured and missing profiles, the tree."""
