"""One arc of the stage graph: the least latency between two signatures, solved exactly."""
