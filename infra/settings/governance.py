"""What an account or a region has once, whichever stack it is that makes it."""

from __future__ import annotations

from infra.settings.base import Model


class Governance(Model):
    """`owns_account_singletons`: this stack makes what its account has once in a region, such as the role that API
    Gateway logs with. Exactly one stack of an account and region says true; the others rely on it.
    `owns_account_audit`: this stack makes what watches the whole account: its trail, recorder, detectors and safe
    defaults. Exactly one stack of an account says true, and not one that comes and goes."""

    owns_account_singletons: bool = False
    owns_account_audit: bool = False
