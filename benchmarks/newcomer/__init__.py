"""What a newcomer gets: 300 molecules of a real assay, no backbone, every option at its default."""
