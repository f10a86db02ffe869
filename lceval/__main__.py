"""`python -m lceval` is the `lceval` command."""

from lceval.cli import main

main()
