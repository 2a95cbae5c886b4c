"""Object storage: buckets and web servers, reached by URL through the package fsspec.

Only :mod:`augcli.files.remote.services` imports a package, and only when a URL was given.
"""
