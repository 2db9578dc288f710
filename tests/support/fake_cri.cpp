#include "tests/support/fake_cri.h"

#include <grpcpp/grpcpp.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "tests/support/fake_cri_node.h"
#include "tests/support/fake_cri_server.h"

namespace imagesweep {
namespace {

std::string NewDirectory() {
  std::string path = (std::filesystem::temp_directory_path() / "fake-cri-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp " + path);
  return path;
}

}  // namespace

FakeCri::FakeCri(Flavour flavour, std::string socket_path) : impl_(std::make_unique<Impl>()) {
  impl_->flavour = flavour;
  if (socket_path.empty()) {
    impl_->directory = NewDirectory();
    socket_path = impl_->directory + "/cri.sock";
  }
  impl_->path = std::move(socket_path);
  impl_->images = Impl::NewImageService(*impl_);
  impl_->runtime = Impl::NewRuntimeService(*impl_);
  Edit([&](FakeNode& node) {
    if (flavour == Flavour::kCrio129 || flavour == Flavour::kCrio130) node.runtime_name = "cri-o";
    if (flavour == Flavour::kDockerd) node.runtime_name = "docker";
  });
  Start();
}

FakeCri::~FakeCri() {
  Stop();
  std::error_code ignored;  // a file left in /tmp must not fail a test
  std::filesystem::remove(impl_->path + ".before", ignored);
  if (!impl_->directory.empty()) std::filesystem::remove_all(impl_->directory, ignored);
}

const std::string& FakeCri::socket_path() const {
  return impl_->path;
}
std::string FakeCri::Endpoint() const {
  return "unix://" + impl_->path;
}

void FakeCri::Start() {
  if (impl_->server) return;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix://" + impl_->path, grpc::InsecureServerCredentials());
  builder.RegisterService(impl_->images.get());
  builder.RegisterService(impl_->runtime.get());
  impl_->server = builder.BuildAndStart();
  if (!impl_->server) throw std::runtime_error("cannot listen on " + impl_->path);
}

void FakeCri::Stop() {
  if (!impl_->server) return;
  // Keeps the old inode in use, so that the next socket cannot get the same inode.
  const std::string before = impl_->path + ".before";
  unlink(before.c_str());
  if (access(impl_->path.c_str(), F_OK) == 0 && link(impl_->path.c_str(), before.c_str()) != 0)
    throw std::runtime_error("cannot link " + before);
  impl_->server->Shutdown(std::chrono::system_clock::now());
  impl_->workers.WaitForAll();
  impl_->server.reset();
}

void FakeCri::Edit(const std::function<void(FakeNode&)>& edit) {
  impl_->state.With([&](fake::State& state) { edit(state.node); });
}

FakeNode FakeCri::node() const {
  return std::as_const(impl_->state).With([](const fake::State& state) { return state.node; });
}

std::vector<std::string> FakeCri::ImageIds() const {
  std::vector<std::string> ids;
  for (const FakeImage& image : node().images) ids.push_back(image.id);
  return ids;
}

void FakeCri::AddImage(FakeImage image) {
  Edit([&](FakeNode& node) { node.images.push_back(std::move(image)); });
}

std::string FakeCri::RunPod(const PodKey& pod, const std::string& container,
                            const std::string& image) {
  std::string id;
  Edit([&](FakeNode& node) {
    const std::string number = std::to_string(++impl_->made);
    FakeContainer made = fake::Describe(node, impl_->flavour, image);
    made.id = id = "container-" + number;
    made.sandbox = "sandbox-" + number;
    made.name = container;
    made.pod = pod;
    node.sandboxes.push_back({made.sandbox, pod, true, {}});
    node.containers.push_back(std::move(made));
  });
  return id;
}

void FakeCri::RemoveContainer(const std::string& id) {
  Edit([&](FakeNode& node) {
    std::erase_if(node.containers, [&](const FakeContainer& one) { return one.id == id; });
  });
}

void FakeCri::Set(const std::string& method, Fault fault) {
  impl_->state.With([&](fake::State& state) { state.faults[method] = std::move(fault); });
}

void FakeCri::SetAll(Fault fault) {
  Set(fake::kAll, std::move(fault));
}

void FakeCri::ClearFaults() {
  impl_->state.With([](fake::State& state) { state.faults.clear(); });
}

void FakeCri::Before(const std::string& method, Hook hook) {
  impl_->state.With([&](fake::State& state) { state.before[method] = std::move(hook); });
}

void FakeCri::After(const std::string& method, Hook hook) {
  impl_->state.With([&](fake::State& state) { state.after[method] = std::move(hook); });
}

std::vector<FakeCall> FakeCri::calls() const {
  return std::as_const(impl_->state).With([](const fake::State& state) { return state.calls; });
}

std::size_t FakeCri::Count(std::string_view method) const {
  return Arguments(method).size();
}

std::vector<std::string> FakeCri::Arguments(std::string_view method) const {
  std::vector<std::string> arguments;
  for (const FakeCall& call : calls())
    if (call.method == method) arguments.push_back(call.argument);
  return arguments;
}

void FakeCri::ForgetCalls() {
  impl_->state.With([](fake::State& state) { state.calls.clear(); });
}

}  // namespace imagesweep
