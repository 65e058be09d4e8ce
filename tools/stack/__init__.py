"""What people do with a stack: up, status, logs, restore, down."""
