"""What the activator costs: memory of services and of requests that wait, and what it adds to a request that it passes on.

`python -m tests.bench.activator` prints it. The activator is its own process on a real API server; replicas answer from this
one, at the address of a pod in a network of its own.
"""
