"""`fivefold new`: looks at images and writes a config for them."""

from fivefold.apps.new.opening import TableChoice
from fivefold.apps.new.writing import Written, write_experiment

__all__ = ["TableChoice", "Written", "write_experiment"]
