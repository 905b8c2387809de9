"""What a score is worth: beside what costs nothing, with an interval, in one sentence."""
