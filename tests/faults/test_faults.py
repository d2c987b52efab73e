"""Each fault happens to one running service under load, and leaves everything where it belongs."""

import pytest

from . import beside, broker, database, hostile, processes, senders
from .fault import Fault, endure
from .pace import Pace
from .service import Service
from .table import Row

FAULTS = (*senders.FAULTS, *broker.FAULTS, *hostile.FAULTS, *database.FAULTS, *processes.FAULTS, *beside.FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_is_lost_and_no_red_flag_waits(service: Service, fault: Fault, pace: Pace, rows: list[Row]) -> None:
    endure(service, fault, pace, rows)
