"""How fast the operator is: real etcd and API server, the operator as its own process under its own credentials, the
floor beside it.

python -m tests.bench [--services 100 300 1000] [--large 5000]
"""
