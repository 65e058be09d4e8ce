"""The SQS client of both roles: every call has a deadline, and nothing is retried behind the caller's back."""

from contextlib import AbstractAsyncContextManager

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from slanger.settings import QueueSettings

CONNECT_SECONDS = 0.5


def open_client(queue: QueueSettings, read_seconds: float, connections: int = 10) -> AbstractAsyncContextManager:
    """`async with open_client(…) as sqs`. `read_seconds`: longest wait for an answer; a receive that waits for messages needs more than
    its WaitTimeSeconds. `connections`: calls in flight at most. Raises nothing here; a queue that can't be reached shows in the calls."""
    config = AioConfig(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        max_pool_connections=connections,
        # Callers retry by themselves: they know how much time is left, and whether a second try is safe.
        retries={"total_max_attempts": 1, "mode": "standard"},
        # Costs a third of a call's CPU time, and what is sent is built here.
        parameter_validation=False,
        tcp_keepalive=True,
        # Without one botocore describes itself anew in every call, a tenth of the call's CPU time.
        user_agent="tradestack-slanger",
    )
    return get_session().create_client("sqs", region_name=queue.region, endpoint_url=queue.endpoint, config=config)
