"""What `python -m raygrid` runs: the command line."""

from raygrid.cli import main

if __name__ == "__main__":
    main()
