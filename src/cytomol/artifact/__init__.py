"""The saved directory: written, verified, loaded, migrated; and the backbone that it holds."""
