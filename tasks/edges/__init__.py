"""The edges: files, models, git, DVC, MLflow, Great Expectations, the simulated vendor. Only here are they imported."""
