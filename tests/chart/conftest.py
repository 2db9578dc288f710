"""The tests of the chart run with each Helm."""
import pytest

from lab import chart, gobuild


@pytest.fixture(params=gobuild.HELM, ids="helm-{}".format)
def each_helm(request, monkeypatch):
    monkeypatch.setattr(chart, "HELM", request.param)
