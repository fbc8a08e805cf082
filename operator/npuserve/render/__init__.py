"""How Kubernetes says a plan: a Plan in, manifests out. No decision is taken here."""
