"""The command line: the pipeline without a server, a client of the service, and folders of any
size.
"""
