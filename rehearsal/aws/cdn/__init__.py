"""CloudFront's data plane: what a viewer gets of the emulated distributions, on loopback.

One process for the embedded AWS (`python -m rehearsal.aws.cdn`), started and ended with it. It knows a distribution by
what boto3 says of it, and hears of changes by the gateway's count of them. Every public name has a port of its own, as
names of the emulated account cannot be resolved here: `doors`.

* Decisions without a process: `patterns`, `selection`, `lifetime`, `store`, `security`, `failover`, `events`,
  `permission`.
* What talks to others: `configuration` (CloudFront), `names` (Route 53), `origins`, `functions`, `javascript`, `watch`.
* `edge` puts them in CloudFront's order. It is no place for what an origin does.
"""
