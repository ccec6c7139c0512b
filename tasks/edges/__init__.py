"""The edges: files, models, git and DVC, MLflow, Great Expectations, the simulated vendor. Nothing else imports them."""
