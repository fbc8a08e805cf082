"""What it costs to read replicas: hundreds of autoscaled services, every replica asked every five seconds by one operator on one
core, on a real control plane in a network of its own.

python -m tests.bench.scraping [--services 300] [--replicas 4] [--seconds 120]
"""
