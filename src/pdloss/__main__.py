"""``python -m pdloss``."""

import sys

from pdloss.cli import main

sys.exit(main())
