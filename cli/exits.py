"""How a command ends."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, as docs/cli.md lists them."""

    DONE = 0
    REFUSED = 1
    """The command is through, and one photo or more came to nothing."""
    USAGE = 2
    """Wrong options or files, known before anything was done."""
    UNREACHABLE = 3
    """No service, no nets, no cluster; or the service does not let us in."""
    STORAGE = 4
    """Results cannot be written."""
    INTERRUPTED = 130


class Failure(Exception):
    """Ends the command with a message for the person who gave it."""

    def __init__(self, exit: Exit, message: str) -> None:
        super().__init__(message)
        self.exit = exit
