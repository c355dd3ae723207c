"""What the topics say, told to Slack and PagerDuty (M2).

`handler` takes deliveries of SNS, `sources` reads what AWS services and our own functions publish, `payloads` writes
what the receivers take, `delivery` sends it.
"""
