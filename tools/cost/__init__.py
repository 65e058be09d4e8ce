"""What a stack costs, before it is deployed."""
