"""``brian2``, imported so that no settings of the user change it, and without files of its own.

Only the kernel imports this file, in a process of its own, so it may change global state.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path
from typing import Any

from volr.system.current_folder import elsewhere

# Brian2 reads preferences from the current folder and from home when it is imported: not here.
_HOME = os.environ.get("HOME")
os.environ["HOME"] = os.sep
# It also imports Matplotlib, if it is there. Nothing is drawn here, and Matplotlib without a home
# that it can write to makes a folder for itself and looks for all fonts anew.
_modules: dict[str, Any] = vars(sys)["modules"]
_modules |= {"matplotlib": None, "pylab": None}

with elsewhere():
    import brian2

del _modules["matplotlib"], _modules["pylab"]
del os.environ["HOME"]
if _HOME is not None:
    os.environ["HOME"] = _HOME

# A run collects garbage first; going through all that importing made takes a quarter of a second.
gc.freeze()


def _log_to_stderr_alone() -> None:
    """The worker's log is its stderr. Brian2 would write files into the temporary folder."""
    brian2.prefs["logging.file_log"] = False
    brian2.prefs["logging.std_redirection"] = False
    log, handler = brian2.BrianLogger.tmp_log, brian2.BrianLogger.file_handler
    if handler is not None:
        logging.getLogger("brian2").removeHandler(handler)
        handler.close()
        brian2.BrianLogger.file_handler = None
    if log is not None:
        Path(log).unlink(missing_ok=True)
        brian2.BrianLogger.tmp_log = None


_log_to_stderr_alone()
