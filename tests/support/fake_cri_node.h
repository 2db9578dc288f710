#pragma once

#include <grpcpp/grpcpp.h>
#include <runtime/v1/api.pb.h>

#include <string>

#include "tests/support/fake_cri.h"

// What a FakeNode says in messages, and how RemoveImage changes it.  Part of fake_cri, not for
// tests.

namespace imagesweep::fake {

void Write(const FakeImage& image, ::runtime::v1::Image& out);
void Write(const FakeContainer& container, ::runtime::v1::Container& out);
void Write(const FakeContainer& container, ::runtime::v1::ContainerStatus& out);
void Write(const FakeSandbox& sandbox, ::runtime::v1::PodSandbox& out);

// The image that this runtime would take `text` for, shortened ids and (on containerd) no text at
// all included; null when there is none.
const FakeImage* Find(const FakeNode& node, Flavour flavour, const std::string& text);

// A running container as this flavour describes it.
FakeContainer Describe(const FakeNode& node, Flavour flavour, const std::string& image);

grpc::Status Remove(FakeNode& node, Flavour flavour, const std::string& text);

}  // namespace imagesweep::fake
