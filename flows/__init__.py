"""Says when: the order of steps, the engines that run them, deployments, and the command line."""

from tasks.edges.quiet import quiet

quiet()
