"""What both sides do, again on Cyrus and on Courier."""

from __future__ import annotations

import pytest

from tests.faults.conftest import LONG
from tests.sync import test_both_ways as journeys

pytestmark = pytest.mark.faults

# All of it is collected here again, on the stage of this folder. A sample of it is the day in `test_other_servers.py`.
if LONG:
    globals().update({name: test for name, test in vars(journeys).items() if name.startswith("test_")})
