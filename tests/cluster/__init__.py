"""A Kubernetes control plane on loopback, built from pinned Go modules, with simulated NPU nodes."""
