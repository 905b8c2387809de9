"""``python -m cytomol``: the command line without its script."""

from cytomol.cli.main import main

if __name__ == "__main__":  # processes started for featurizing or training import this file too
    main()
