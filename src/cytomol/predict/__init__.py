"""The predictor: fit, predict, verdict, evidence; and the scikit-learn estimators."""
