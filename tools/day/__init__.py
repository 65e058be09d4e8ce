"""A whole trading day in minutes: the paper broker's clock runs fast, every service works, and the books are compared at the end."""
