"""Tables larger than memory: read in chunks, answered chunk by chunk, resumed after a kill."""

from cytomol.tables.streaming.table_source import TableSource, open_source

__all__ = ["TableSource", "open_source"]
