"""What a cluster offers: Node objects in, device pools and their free room out."""
