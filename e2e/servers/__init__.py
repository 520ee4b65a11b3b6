"""Real servers of every backend, for tests: built or unpacked once into the cache outside the tree, then started on free
loopback ports, or, where a server has a fixed port or name, in a network of its own.

    with s3.versitygw(directory, tls=True) as server:
        server.backend("prefix")   # spec.backend of a Repository, without storageSecretName
        server.secret              # its storage Secret, without RESTIC_PASSWORD
        server.enter               # put before a command that is to reach the server

What a server keeps lies in `directory`. Leaving the block ends its processes, by PID.
"""
