"""`make new-service` and `make new-strategy`: a service or a Freqtrade strategy of your own from one template, and its block in Pulumi.local.yaml."""
