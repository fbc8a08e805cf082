"""Which fields of MindIE's config.json and which variables are not the user's to set, and why; and values that its server
refuses together.

Reserved: addresses and ports, certificates, what a replica on one node has no use for, and sizes that the plan owns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from npuserve.engines.contract import Fault

OWNED = {
    "ServerConfig.ipAddress": "the replica's address is fixed",
    "ServerConfig.managementIpAddress": "the replica's address is fixed",
    "ServerConfig.port": "the ports are fixed; clients use the Service on port 8000",
    "ServerConfig.managementPort": "the ports are fixed",
    "ServerConfig.metricsPort": "the ports are fixed",
    "ServerConfig.allowAllZeroIpListening": "the replica's address is fixed",
    "ServerConfig.httpsEnabled": "TLS ends before the Service; certificates cannot be mounted into the installation",
    "ServerConfig.interCommTLSEnabled": "a replica runs on one node",
    "ServerConfig.interCommPort": "a replica runs on one node",
    "ServerConfig.inferMode": "a replica does prefill and decode",
    "ServerConfig.distDPServerEnabled": "a replica runs on one node",
    "BackendConfig.npuDeviceIds": "set spec.hardware.devices",
    "BackendConfig.modelInstanceNumber": "one instance per replica; set spec.replicas",
    "BackendConfig.multiNodesInferEnabled": "a replica runs on one node",
    "BackendConfig.multiNodesInferPort": "a replica runs on one node",
    "BackendConfig.interNodeTLSEnabled": "a replica runs on one node",
    "BackendConfig.kvPoolConfig": "it opens a path of the replica",
    "ModelDeployConfig.maxSeqLen": "set spec.context.maxModelLen",
    "ModelDeployConfig.LoraModules": "it opens paths of the replica",
    "ModelConfig.modelInstanceType": "a replica serves one model",
    "ModelConfig.modelName": "set spec.model.servedName",
    "ModelConfig.modelWeightPath": "set spec.model.uri",
    "ModelConfig.worldSize": "set spec.hardware.devices",
    "ModelConfig.tp": "set spec.parallelism.tensor",
    "ModelConfig.dp": "set spec.parallelism.data",
    "ModelConfig.pp": "set spec.parallelism.pipeline",
    "ModelConfig.moe_tp": "set spec.parallelism.expert",
    "ModelConfig.moe_ep": "set spec.parallelism.expert",
    "ModelConfig.cp": "the plan does not split contexts",
    "ModelConfig.sp": "the plan does not split contexts",
    "ScheduleConfig.maxBatchSize": "set spec.context.maxSequences",
}
OWNED_VARIABLES = {
    "MIES_CONTAINER_IP": "the replica's address is fixed",
    "MIES_CONTAINER_MANAGEMENT_IP": "the replica's address is fixed",
    "MIES_CONFIG_JSON_PATH": "the plan writes the configuration",
    "MIES_INSTALL_PATH": "the image carries it",
    "MINDIE_LLM_HOME_PATH": "the image carries it",
    "MIES_SERVICE_MONITOR_MODE": "metrics are always on",
    "NPU_MEMORY_FRACTION": "the plan's memory budget rests on it",
    "RANK_TABLE_FILE": "a replica runs on one node",
    "RANKTABLEFILE": "a replica runs on one node",
    "WORLD_SIZE": "set spec.hardware.devices",
    "ASCEND_RT_VISIBLE_DEVICES": "the device plugin sets it",
    "MASTER_IP": "a replica runs on one node",
    "MASTER_PORT": "a replica runs on one node",
    "HOST_IP": "a replica runs on one node",
    "MINDIE_LOG_PATH": "it opens a path of the replica",
    "LOCAL_CACHE_DIR": "it opens a path of the replica",
    "MINDIE_CHECK_INPUTFILES_PERMISSION": "mounted weights cannot meet the owner checks",
}


def contradictions(given: Mapping[str, Any]) -> Iterator[Fault]:
    """Values that the server refuses together (L:docs/zh/user_guide/user_manual/service_parameter_configuration.md)."""
    if given.get("ScheduleConfig.maxPreemptCount", 0) and not given.get("ModelConfig.cpuMemSize", 0):
        yield Fault(
            "invalid",
            "spec.engineArgs.ScheduleConfig.maxPreemptCount",
            "preempted requests need host memory; set ModelConfig.cpuMemSize to some GB, or leave it at 0",
        )
