"""What a crowd of annotators says: their answers, methods that weigh them, and how sure one may be of the result."""
