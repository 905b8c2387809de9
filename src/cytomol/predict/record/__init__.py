"""What a fit leaves for its report: the table, tested answers, a learning curve, molecules to look at."""

from cytomol.predict.record.fit_record import RECORD, FitRecord, RecordSource

__all__ = ["RECORD", "FitRecord", "RecordSource"]
