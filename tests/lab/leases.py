"""Leases in containerd. Its own command line can create leases, but cannot add resources."""
import grpc

from lab.containerd import NAMESPACE


def hold(socket, lease, resource, kind, labels=None, namespace=NAMESPACE):
    """Makes LEASE, with LABELS, hold RESOURCE of KIND: "content" or "snapshots/SNAPSHOTTER". Source of numbers:
    containerd, api/services/leases/v1/leases.proto."""
    entries = b"".join(_field(3, _field(1, key) + _field(2, value)) for key, value in (labels or {}).items())
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        for method, request in (("Create", _field(1, lease) + entries),
                                ("AddResource", _field(1, lease) + _field(2, _field(1, resource) + _field(2, kind)))):
            call = channel.unary_unary(f"/containerd.services.leases.v1.Leases/{method}")
            call(request, timeout=20, metadata=(("containerd-namespace", namespace),))


def _field(number, value):
    """One field of bytes in the wire format of protobuf."""
    value = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2]) + _varint(len(value)) + value


def _varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)
