"""How the per-version engine tables are made: syntax trees of the engine's own packages in, one table out; nothing is
imported or run.

Every module here is pure; `npuserve.cli.packages` fetches the packages. The picture:

    packages ─► vllm_ascend ─┬─► launch_flags ─► classes ─► hints ─┐
                                         ├─► nested_keys ─► nested_reads ──────┼─► interpreter ─► sources
                                         ├─► environment, architectures ───────┘
                                         └─► widening ─────────────────────────────────────────► sources
                                         ▼
                                       table
"""
