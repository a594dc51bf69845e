"""`python -m polygrad` is the command `polygrad`."""

from polygrad.cli import main

if __name__ == "__main__":
    main()
