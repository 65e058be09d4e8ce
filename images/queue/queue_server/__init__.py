"""An SQS server for the local stack: MiniStack's SQS, with a state that survives SIGKILL."""
