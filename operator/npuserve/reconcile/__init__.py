"""What must change and what to say: desired and live objects in, changes, status and events out."""
