"""The only folder that touches the cluster: watches, a keyed queue, one idempotent reconcile, apply and publish."""
