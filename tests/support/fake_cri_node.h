#pragma once

#include <grpcpp/grpcpp.h>
#include <runtime/v1/api.pb.h>

#include <string>

#include "tests/support/fake_cri.h"

// The messages about a FakeNode, and the effect of RemoveImage on it. Part of fake_cri, not for
// tests.

namespace imagesweep::fake {

void Write(const FakeImage& image, ::runtime::v1::Image& out);
void Write(const FakeContainer& container, ::runtime::v1::Container& out);
void Write(const FakeContainer& container, ::runtime::v1::ContainerStatus& out);
void Write(const FakeSandbox& sandbox, ::runtime::v1::PodSandbox& out);

// The image to which this runtime resolves `text`, including shortened IDs and (on containerd) the
// empty text. Null if there is none.
const FakeImage* Find(const FakeNode& node, Flavour flavour, const std::string& text);

// A running container as this flavor describes it.
FakeContainer Describe(const FakeNode& node, Flavour flavour, const std::string& image);

grpc::Status Remove(FakeNode& node, Flavour flavour, const std::string& text);

}  // namespace imagesweep::fake
