"""The custom resource `InferenceService`: its types are the one source of the CRD, its reference and its JSON schema."""
