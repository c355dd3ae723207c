"""Small Pulumi programs that together hold every resource type of `infra/`: one a group of services.

Each is run unmodified by the engine as `main` of a project. The setting `faults:phase` says how far its life has come:
`first` (made), `second` (a property of most resources is another), `third` (the resources that nothing needs are gone).
"""
