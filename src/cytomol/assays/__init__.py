"""A table of assays becomes tasks: roles of columns, labels, splits, folds, metrics."""
