"""What a molecule does to a cell: match, impute, codes, explain."""
