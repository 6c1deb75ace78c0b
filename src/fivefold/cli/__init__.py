"""The command line: arguments, the terminal, exit codes."""
