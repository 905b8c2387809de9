"""Property heads, prediction, and the scikit-learn estimators."""
