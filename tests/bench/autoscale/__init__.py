"""Beside every published autoscaler: NPU-hours at the target attainment, each peer tuned for each trace, npuserve never."""
