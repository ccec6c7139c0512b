"""Says when: the order of steps, the engines that run them, deployments, and the command line."""
