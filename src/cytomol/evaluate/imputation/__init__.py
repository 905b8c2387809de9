"""Imputed profiles held against measured ones: scores, what they are compared with, and the table of both."""
