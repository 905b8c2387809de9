"""``python -m cytomol``: the command line without its script."""

from cytomol.cli.main import main

main()
