"""The HTTP service under load, beside a naive server that answers one request at a time."""
