"""The local page on which a molecule is drawn, answered and put beside what is known."""
