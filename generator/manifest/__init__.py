"""Manifests: YAML files read strictly, validated, resolved against the fleet's settings."""
