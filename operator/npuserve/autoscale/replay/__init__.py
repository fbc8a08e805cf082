"""What would have happened: a trace of requests, replayed against an engine model and any scaling rule."""
