"""What a restore is asked for is what RDS takes; the rest comes with the modification after it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import botocore.session
import pytest

from rehearsal.aws.services._rds_creation import make
from rehearsal.aws.services._rds_parameters import COMMON

pytestmark = pytest.mark.unit


def test_a_restore_from_a_snapshot_asks_for_what_the_call_has_and_modifies_the_rest() -> None:
    model = botocore.session.get_session().get_service_model("rds")
    taken = set(model.operation_model("RestoreDBInstanceFromDBSnapshot").input_shape.members)
    rds = MagicMock()
    call: Any = SimpleNamespace(client=lambda service: rds, tag_list=[])
    make(call, {"identifier": "db", "snapshotIdentifier": "s", **dict.fromkeys(COMMON, "given")})
    assert set(rds.restore_db_instance_from_db_snapshot.call_args.kwargs) <= taken
    assert rds.modify_db_instance.call_args.kwargs["MaxAllocatedStorage"] == "given"
