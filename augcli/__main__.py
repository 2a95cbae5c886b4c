"""``python -m augcli``."""

from augcli.cli.app import main

main()
