#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/guarded.h"
#include "tests/support/fake_cri.h"
#include "tests/support/fake_cri_calls.h"

// The internals of FakeCri: its state, and how every call passes through hooks and faults. Not for
// tests.

namespace imagesweep {
namespace fake {

// Makes a message larger with an unknown field, number 999, which every reader skips.
template <typename Reply>
void Pad(Reply& reply, std::size_t bytes) {
  if (bytes == 0) return;
  std::string out;
  const auto varint = [&out](std::size_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
    out += static_cast<char>(value);
  };
  varint((999 << 3) | 2);
  varint(bytes);
  out.append(bytes, 'x');
  if (!reply.MergeFromString(out)) throw std::runtime_error("cannot pad a reply");
}

struct State {
  FakeNode node;
  std::vector<FakeCall> calls;
  std::map<std::string, Fault> faults;
  std::map<std::string, FakeCri::Hook> before;
  std::map<std::string, FakeCri::Hook> after;
};

// The fault of every method without its own.
constexpr const char* kAll = "*";

}  // namespace fake

struct FakeCri::Impl {
  Flavour flavour;
  std::string directory;  // to be deleted by this object; empty if the caller chose the path
  std::string path;
  Guarded<fake::State> state;
  fake::Workers workers;
  std::unique_ptr<grpc::Server> server;
  int made = 0;

  // One call, from arrival to answer.
  struct PlanContext {
    FakeCall call;
    Fault fault;
  };

  PlanContext Arrive(FakeCall call) {
    call.at = std::chrono::steady_clock::now();
    Hook hook;
    Fault fault = state.With([&](fake::State& s) {
      s.calls.push_back(call);
      if (const auto it = s.before.find(call.method); it != s.before.end()) hook = it->second;
      if (!s.node.offers_cri)
        return Fault{.code = grpc::StatusCode::UNIMPLEMENTED, .message = "unknown service"};
      auto it = s.faults.find(call.method);
      if (it == s.faults.end()) it = s.faults.find(fake::kAll);
      if (it == s.faults.end()) return Fault{};
      const Fault found = it->second;
      if (found.times > 0 && --it->second.times == 0) s.faults.erase(it);
      return found;
    });
    if (hook) hook(call);
    return {std::move(call), std::move(fault)};
  }

  void Leave(const PlanContext& context) {
    const Hook hook = state.With([&](const fake::State& s) {
      const auto it = s.after.find(context.call.method);
      return it == s.after.end() ? Hook() : it->second;
    });
    if (hook) hook(context.call);
  }

  // The faults before there is an answer. Empty: no fault.
  template <typename Call>
  std::optional<grpc::Status> GoWrong(const PlanContext& context, Call& call, bool is_stream) {
    const Fault& fault = context.fault;
    if (fault.delay > Millis(0)) call.gate.WaitFor(fault.delay);
    const bool halfway = is_stream && fault.hang == Fault::Hang::kHalfway;
    if (fault.hang != Fault::Hang::kNo && !halfway) {
      if (fault.hang != Fault::Hang::kBeforeHeaders) call.StartSendInitialMetadata();
      call.gate.Wait();
      return grpc::Status::CANCELLED;
    }
    if (fault.code == grpc::StatusCode::OK || (is_stream && fault.halfway)) return std::nullopt;
    return grpc::Status(fault.code, fault.message);
  }

  template <typename Reply, typename Fill>
  grpc::ServerUnaryReactor* Answer(FakeCall what, Reply* reply, Fill fill) {
    auto* call = new fake::UnaryCall();
    workers.Run([this, what = std::move(what), reply, fill = std::move(fill), call] {
      const PlanContext context = Arrive(what);
      auto status = GoWrong(context, *call, /*is_stream=*/false);
      if (!status) {
        status = state.With([&](fake::State& s) -> grpc::Status { return fill(s.node, *reply); });
        fake::Pad(*reply, context.fault.pad_bytes);
      }
      Leave(context);
      call->Finish(*status);
    });
    return call;
  }

  template <typename Reply, typename Fill>
  grpc::ServerWriteReactor<Reply>* Stream(FakeCall what, Fill fill) {
    auto* call = new fake::StreamCall<Reply>();
    workers.Run([this, what = std::move(what), fill = std::move(fill), call] {
      const PlanContext context = Arrive(what);
      auto status = GoWrong(context, *call, /*is_stream=*/true);
      if (!status) status = Send(context, *call, fill);
      Leave(context);
      call->Finish(*status);
    });
    return call;
  }

  template <typename Reply, typename Fill>
  grpc::Status Send(const PlanContext& context, fake::StreamCall<Reply>& call, const Fill& fill) {
    std::vector<Reply> replies;
    const bool offered = state.With([&](const fake::State& s) {
      replies = fill(s.node);
      return s.node.streams;
    });
    if (!offered) return {grpc::StatusCode::UNIMPLEMENTED, "unknown method"};
    for (Reply& reply : replies) {
      fake::Pad(reply, context.fault.pad_bytes);
      if (!call.Send(reply)) return grpc::Status::CANCELLED;
      if (context.fault.hang == Fault::Hang::kHalfway) {
        call.gate.Wait();
        return grpc::Status::CANCELLED;
      }
      if (context.fault.halfway) break;
    }
    return grpc::Status(context.fault.code, context.fault.message);
  }

  // The services, in fake_cri_services.cpp.
  struct Images;
  struct Runtime;
  static std::unique_ptr<grpc::Service> NewImageService(Impl& impl);
  static std::unique_ptr<grpc::Service> NewRuntimeService(Impl& impl);
  std::unique_ptr<grpc::Service> images;
  std::unique_ptr<grpc::Service> runtime;
};

}  // namespace imagesweep
