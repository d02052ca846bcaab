"""The attester: a process of somebody else that recomputes, signs and refuses."""
