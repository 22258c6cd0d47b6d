"""``python -m perfmethod``."""

import sys

from perfmethod.cli import main

sys.exit(main())
