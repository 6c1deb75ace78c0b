"""The command's first lines, for the script and for `python -m fivefold`.

Loading the command line takes a moment, in which Ctrl-C would show where Python stands.
"""

from fivefold.cli.interrupts import end_on_interrupt


def main() -> None:
    """Run the command line of this process and end it; Ctrl-C ends it with 130 at any time."""
    end_on_interrupt()
    from fivefold.cli import app  # noqa: PLC0415  what takes the time

    app.main()


if __name__ == "__main__":
    main()
