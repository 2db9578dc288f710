"""Real parts for the tests and the demo: container images, a private containerd, a one-node Kubernetes.

Everything a lab starts lives below one directory and in namespaces of its own, so it can neither touch nor outlive
anything else on the machine (docs/decisions/lab-isolation.md).
"""
