"""One file per group of rows; each has ``run(material, settings)`` and returns figures."""
