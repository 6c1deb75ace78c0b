"""The rows of the table: each module has `measure(settings)`, which returns its rows."""
