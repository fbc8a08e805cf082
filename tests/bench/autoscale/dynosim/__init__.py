"""The same rules in NVIDIA's DynoSim, a simulator that nobody here wrote: what it makes of a day beside our own.

DynoSim comes in PyPI's ai-dynamo-runtime (Apache-2.0): `dynamo._core.run_mocker_trace_replay`. Its vLLM scheduler, its
router, its starts and its draining are its own; from here come the timing tables of the engine, the requests and the rule.
It needs an older pydantic than the operator, so that it is installed from a lock of its own, beside the tools of the tests.

| file | what |
|---|---|
| `adapter.py` | what DynoSim shows at a tick, as the sample that a rule is asked with |
| `tables.py` | the engine as timing tables, the requests as a trace of its kind |
| `process.py` | one replay, in a process that has DynoSim; prints what came of it |
| `confirm.py` | installs it, and runs the replays |
| `budget.py` | how many hours of each day there is time for |
"""
