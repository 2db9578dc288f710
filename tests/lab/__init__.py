"""Real parts for the tests and the demo: container images, a private containerd, and a one-node Kubernetes.

Everything that a lab starts is below one directory and in separate namespaces. So it can neither change nor outlive
anything else on the machine (docs/decisions/lab-isolation.md).
"""
