"""npuserve: declare a model, a quantization and a backend; get a planned, running, explained NPU workload."""
