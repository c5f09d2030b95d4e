"""``python -m hepneg``: the command line."""

from hepneg.cli import main

if __name__ == "__main__":
    main()
