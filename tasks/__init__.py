"""Touches the world: one module a step. A step reads, asks `hitl` to decide, writes, and returns facts."""
