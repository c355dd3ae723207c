"""`python -m infra.plans.observability`: writes what is generated from the tables, for people and for promtool.

alerts/candlefish.rules.yaml: Prometheus' rules with the thresholds that are the default. docs/observability.md: its
tables, between the marks.
"""

from __future__ import annotations

from pathlib import Path

from infra.plans.observability.documents import alert_file, inserted

ROOT = Path(__file__).parents[3]
ALERTS, PAGE = ROOT / "alerts" / "candlefish.rules.yaml", ROOT / "docs" / "observability.md"


def main() -> None:
    ALERTS.write_text(alert_file())
    PAGE.write_text(inserted(PAGE.read_text()))


if __name__ == "__main__":
    main()
