"""The planner against what the vendors publish: deployments that ran, and memory that was measured.

`rows/` holds the published deployments that one service can express, `models.yaml` the base model of each name, whose
config.json is planned under the row's own name. `python -m tests.published --write` writes README.md, the table of
results; a test fails when it differs or a goal is missed.
"""
