// Only carries the precompiled header that all rooms reuse.
