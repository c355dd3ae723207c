"""docs/controls.md from the controls and the waivers. `python -m tests.controls` writes it; a test compares."""

from __future__ import annotations

from pathlib import Path

from policy.controls import CONTROLS
from policy.model import DEVELOPMENT, Control
from policy.waivers import Waiver, load

PAGE = Path(__file__).parents[1] / "docs/controls.md"
HEAD = """# Security controls

Made by `python -m tests.controls` from `policy/`; a test compares. Every control is evaluated on the recorded graph of
each stack ([test](../tests/rehearsal/test_controls.py)): it holds for every resource of the kinds named here, or a
waiver of [policy/waivers.yaml](../policy/waivers.yaml) says why not, where, and until when. A waiver that is expired or
covers nothing fails the test. Each control has one resource that meets it and one that does not
([test](../tests/unit/controls/test_controls.py)).

May be waived: `dev` in development only; `no` nowhere; else for a named resource with an argument.

| control | what | checked on | may be waived |
|---|---|---|---|
"""
SETTLED = """
## Where controls are in conflict with something else

* **RDS.8 and DynamoDB.6 block a teardown.** Deletion protection is the setting `lifecycle.deletionProtection`: on in
  staging, production and recovery; a rehearsed teardown lifts it first, as a change of its own. In development it is
  off, by a waiver.
* **CKV_AWS_117, a function in the VPC.** Network interfaces of functions take long to be deleted and hold up the
  deletion of subnets. A function is in the VPC only if it talks to the database or the cache; no function of the
  platform does, so none is, and the control is not in the table.
* **CKV_AWS_133, backups of the database.** A restore with backup retention above 0 can sit in `backing-up` for two to
  three hours (terraform-provider-aws, issue 44104). The control stays for what the program makes; whoever restores by
  hand asks for retention 0 and sets it once the instance is available, before it takes traffic.
* **CKV_AWS_145, targets of access logs.** S3 and load balancers deliver logs to buckets with S3's own key only. A
  bucket that is the target of another one's logs meets the control with SSE-S3, and CKV_AWS_18 without logs of its
  own, which would never end.
* **CKV_AWS_286 to 290, permissions boundaries.** A boundary grants nothing: a managed policy that is some role's
  boundary and attached to none is left out.

## Waivers

| control | resource | where | until | why |
|---|---|---|---|---|
"""


def page() -> str:
    return HEAD + "".join(map(_row, CONTROLS)) + SETTLED + "".join(map(_waiver, load()))


def _row(control: Control) -> str:
    waivable = "no" if not control.waivable else "dev" if control.waivable == DEVELOPMENT else ""
    kinds = ", ".join(type.rpartition(":")[2] if type.startswith("kubernetes") else type.split(":")[1].split("/")[0]
                      + " " + type.rpartition(":")[2] for type in control.types if not type.startswith("pulumi"))
    return f"| {' / '.join(control.ids)} | {control.title} | {kinds or 'the stack'} | {waivable} |\n"


def _waiver(waiver: Waiver) -> str:
    return f"| {waiver.control} | `{waiver.resource}` | {', '.join(sorted(waiver.environments))} | {waiver.expires} " \
           f"| {waiver.reason} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
