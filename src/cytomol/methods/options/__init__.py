"""Groups of options of the methods; a method is configured by those that matter to it."""
