"""pdloss in other people's programs: their registries, their metrics, their loaders."""
