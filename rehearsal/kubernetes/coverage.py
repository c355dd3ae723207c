"""What of the cluster is not as it would be on AWS, for the coverage report: releases and the kinds that they bring."""

from __future__ import annotations

from rehearsal.kubernetes import crds, release_services

KEPT, UNVALIDATED = "kept", "unvalidated"
_RELEASE = "kubernetes:helm.sh/v3:Release"


def report() -> list[dict[str, str]]:
    """`type`, `property`, `served`: rows beside those of AWS's resource types."""
    rows = [{"type": _RELEASE, "property": "values (of charts not at hand)", "served": UNVALIDATED}]
    rows += [{"type": _RELEASE, "property": f"{chart}: kinds" + (
                  ", Services without pods" if chart in release_services.STAND_INS else " only"), "served": KEPT}
             for chart in sorted(crds.CHARTS)]
    return rows + [{"type": f"kubernetes:{version}:{kind}", "property": "spec", "served": UNVALIDATED}
                   for version, kind in crds.unvalidated()]
