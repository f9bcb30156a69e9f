"""How fast the embedded engine searches, beside plain numpy, faiss and LanceDB.

Imported before numpy, as by `python -m`, it makes every library compute with one thread.
"""

from __future__ import annotations

import os
import sys

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")

if "numpy" not in sys.modules:  # the libraries decide when they are imported
    os.environ.update(dict.fromkeys(_THREADS, "1"))
