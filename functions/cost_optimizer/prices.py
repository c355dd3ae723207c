"""US dollars a month, on demand, us-east-1: an estimate for other regions, where most of it costs 0 to 20 % more.

The services' list prices (EBS, EC2 and VPC, Elastic Load Balancing, CloudWatch, ECR, RDS for PostgreSQL, ElastiCache)
as they are widely quoted; nobody has compared them with AWS's price list yet, and a report says so. An hourly price is
multiplied by the 730 hours that AWS's own calculator counts for a month. What is not in a table has no estimate: it is
reported without one.
"""

from __future__ import annotations

BASIS = "list prices of us-east-1, not compared with AWS's price list"
HOURS = 730
VOLUME_GB = {"gp2": 0.10, "gp3": 0.08, "io1": 0.125, "io2": 0.125, "st1": 0.045, "sc1": 0.015, "standard": 0.05}
SNAPSHOT_GB = {"standard": 0.05, "archive": 0.0125}
ADDRESS = 0.005 * HOURS
LOAD_BALANCER = {"application": 0.0225 * HOURS, "network": 0.0225 * HOURS, "gateway": 0.0125 * HOURS}
NAT_GATEWAY = 0.045 * HOURS
LOGS_GB = 0.03
IMAGES_GB = 0.10
# PostgreSQL in one zone. A class that is half as big costs half as much, so one price a family would do as well.
DATABASE = {name: hourly * HOURS for name, hourly in {
    "db.t4g.micro": 0.016, "db.t4g.small": 0.032, "db.t4g.medium": 0.065, "db.t4g.large": 0.129,
    "db.t4g.xlarge": 0.258, "db.t4g.2xlarge": 0.517}.items()}
CACHE_NODE = {name: hourly * HOURS for name, hourly in {
    "cache.t4g.micro": 0.016, "cache.t4g.small": 0.032, "cache.t4g.medium": 0.065}.items()}  # Redis; Valkey: 20 % less
GIB = 2 ** 30
