"""What is in front of the cluster: the AWS Load Balancer Controller and the Application Load Balancers it makes.

`build` turns Ingresses into a `model`; `elbv2` makes the model true in the emulated AWS; `dataplane` and `proxy` route
real requests by the same model. Does not belong here: pods (`node`), the ELBv2 API itself (`rehearsal.aws`).
"""
