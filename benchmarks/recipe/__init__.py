"""Does the recipe still score what it did? The code before and the code now, on the nine sets."""
