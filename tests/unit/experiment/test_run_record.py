import logging
import subprocess
import sys

from fivefold.experiment.run_record import recorded_warnings

ALONE = """
import logging
from fivefold.experiment.run_record import recorded_warnings

who = logging.getLogger("fivefold.some.module")
with recorded_warnings() as kept:
    who.warning("%s is odd", "this")
    who.warning("this is odd")
    who.info("this is usual")
who.warning("that is odd")
print(kept)
"""


def test_where_nobody_listens_warnings_are_kept_and_shown_once():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stderr == "this is odd\nthat is odd\n"
    assert done.stdout == "['this is odd']\n"


def test_who_listens_hears_a_warning_and_nobody_else(caplog, capsys, monkeypatch):
    # without what the command line sets, which another test may have left there
    monkeypatch.setattr(logging.getLogger("fivefold"), "handlers", [])
    monkeypatch.setattr(logging.getLogger("fivefold"), "propagate", True)
    with recorded_warnings() as kept:
        logging.getLogger("fivefold.some.module").warning("this is odd")
    assert (kept, caplog.messages) == (["this is odd"], ["this is odd"])
    assert capsys.readouterr().err == ""
