"""Speed, measured side by side: our path, the published path, and the limit of the machine."""
