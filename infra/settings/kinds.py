"""Kinds of values that several settings have, each as narrow as what takes it in the end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

# RFC 1123, as Kubernetes' validation and Route 53 have it.
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")]
LabelKey = Annotated[str, StringConstraints(
    pattern=r"^([a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")]
Domain = Annotated[str, StringConstraints(
    pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", max_length=200)]
# The value of a tag that every service takes (AWS tagging user guide: letters, digits, spaces and these).
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:/=+@-]{0,254}$")]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]{0,127}$")]  # an ALB condition takes 128
FilePath = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._-]{1,100})+$", max_length=500)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
# What can be sent and shown: no sign that is none, such as NUL.
Text = Annotated[str, StringConstraints(pattern=r"^\P{Cc}*$", max_length=4_000)]
Cron = Annotated[str, StringConstraints(pattern=r"^[0-9*,/-]+( [0-9*,/-]+){4}$")]  # Kubernetes' five fields
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$")]
# What PutRetentionPolicy takes (CloudWatch Logs API reference).
LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
                  3653]
Days = Annotated[int, Field(ge=1, le=36_500)]  # a hundred years, AWS Backup's and S3's most
Percent = Annotated[float, Field(gt=0, le=100)]
Amount = Annotated[float, Field(gt=0, le=1e9)]  # of anything that is measured
