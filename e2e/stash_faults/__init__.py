"""The fault bench: what faults there are, which tests inject them, and the tools that inject and judge."""
