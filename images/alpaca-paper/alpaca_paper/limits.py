"""Alpaca's limit on requests: so many in each clock minute, told in three headers."""

from dataclasses import dataclass


@dataclass
class Window:
    limit: int
    minute: int = 0
    used: int = 0

    def take(self, now_seconds: float) -> tuple[bool, dict[str, str]]:
        """Whether one more request is within the limit at that Unix time, and the answer's headers."""
        minute = int(now_seconds // 60)
        if minute != self.minute:
            self.minute, self.used = minute, 0
        allowed = self.used < self.limit
        self.used += allowed
        return allowed, {
            "X-Ratelimit-Limit": str(self.limit),
            "X-Ratelimit-Remaining": str(self.limit - self.used),
            "X-Ratelimit-Reset": str((minute + 1) * 60),
        }
