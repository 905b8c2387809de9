"""What each mended point does: to what cell data add, and to how well a molecule finds its own profile."""
