"""What a slice that is not there yet will bring: the one place where tests wait for it. Empty at the end."""

from __future__ import annotations

PENDING_CONTROLS = {"CKV_AWS_67", "CKV_AWS_238", "CKV2_AWS_45"}  # M5: trail, detector, recorder
PENDING_REQUIREMENTS = ("M5 ", "E6 name `ws`", "N7 `/api/analytics`", "N7 `/memory`", "N7 `/experiments`")
