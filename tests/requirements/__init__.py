"""docs/requirements.md: which resources fulfil which requirement, in each stack."""
