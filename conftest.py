"""What tests and the notebooks' kernels find in their environment."""

import os

os.environ["PERFMETHOD_QUIET"] = "1"  # no progress bars in outputs that are compared
os.environ["MPLBACKEND"] = "Agg"  # figures are shown as bytes, no window is opened
os.environ.setdefault("OMP_NUM_THREADS", "1")  # sums in one order, whatever the machine
