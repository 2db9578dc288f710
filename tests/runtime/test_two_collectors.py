"""Another collector removes images at the same time, and pods come and go."""
import threading

from lab.agent import outcomes
from lab.cell import wait_until

ROUNDS, PODS = 5, 3


# K14: images that the other collector removed are no error, and no image is removed that a pod runs.
def test_another_collector_at_the_same_time_does_no_harm(node):
    kept = [node.load(f"registry.example/shop/app-{number}:v1") for number in range(PODS)]
    for number in range(ROUNDS):
        garbage = [node.load(f"registry.example/shop/old-{number}-{copy}:v1") for copy in range(8)]
        node.age()
        pods = [node.start_pod(f"app-{number}-{copy}", image) for copy, image in enumerate(kept)]

        def collect(images=garbage):
            for image in images:  # also the ID, under which containerd keeps an image for CRI
                for name in (*image.names, *image.digest_references, image.id):
                    try:
                        node.containerd.ctr("images", "rm", "--sync", name)
                    except Exception as gone:  # ctr fails for images that the sweep removed first
                        assert "not found" in str(getattr(gone, "stderr", gone)), gone

        other = threading.Thread(target=collect)
        other.start()
        report = node.sweep()
        other.join()
        assert set(outcomes(report).values()) <= {"Removed", "Skipped"}, report["outcomes"]
        assert not report["verification"]["missing"]
        left = node.containerd.ids()
        assert {image.id for image in kept} <= left
        assert wait_until(lambda: not {image.id for image in garbage} & node.containerd.ids(), 10)
        for pod in pods:
            node.remove_pod(pod)
