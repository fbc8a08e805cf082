"""Values with which the chart is rendered in tests: as it comes, and with what sites change."""

from __future__ import annotations

from typing import Any

CASES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "single namespace": {
        "watchNamespace": "team-a",
        "config": {
            "profiles": [{"name": "declared", "hardware": [{"product": "Atlas 800I A2 64G", "nodes": 2, "devices": 8}]}]
        },
        "rbac": {"aggregate": False},
        "crds": {"enabled": False},
    },
    "air-gapped": {
        "image": {"registry": "mirror.example.com/hub", "digest": f"sha256:{'0' * 64}"},
        "imagePullSecrets": ["mirror"],
        "config": {"images": {"mirrors": {"quay.io": "mirror.example.com/quay"}, "pullPolicy": "Never"}},
        "caBundle": {"configMap": "corporate-ca"},
        "proxy": {"https": "http://proxy.example.com:3128"},
    },
    "one replica": {
        "replicas": 1,
        "leaderElection": False,
        "antiAffinity": "none",
        "networkPolicy": {"enabled": False},
    },
    "activator": {
        "activator": {"enabled": True, "replicas": 3, "firstPort": 30000, "lastPort": 30999, "holdSeconds": 300},
        "imagePullSecrets": ["mirror"],
    },
    "activator of one namespace": {
        "activator": {"enabled": True, "replicas": 1},
        "watchNamespace": "team-a",
        "antiAffinity": "required",
        "networkPolicy": {
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "apiServerCidrs": ["10.0.0.1/32"],
        },
        "rbac": {"aggregate": False},
        "crds": {"enabled": False},
    },
    "placed": {
        "antiAffinity": "required",
        "priorityClassName": "platform",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "control-plane", "operator": "Exists", "effect": "NoSchedule"}],
        "podLabels": {"team": "platform"},
        "podAnnotations": {"example.com/note": "kept"},
        "runAsUser": 0,
        "networkPolicy": {
            "apiServerPorts": [6443],
            "apiServerCidrs": ["10.0.0.1/32"],
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        },
        "config": {
            "flavour": "hami",
            "enginePreference": ["mindie", "vllm-ascend"],
            "readBytesPerSecond": 2_000_000_000,
        },
    },
}
