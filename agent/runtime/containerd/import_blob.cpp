#include "agent/runtime/containerd/import_blob.h"

#include <utility>

namespace imagesweep::containerd {

namespace api = ::containerd::services::content::v1;

Status BlobWriter::Write(const Descriptor& blob, const std::map<std::string, std::string>& labels,
                         const std::function<Status(const Take&)>& source) const {
  auto sent = Send(blob, labels, source);
  if (sent) return sent;
  if (calls_.stop().stop_requested())
    return Error{ErrorKind::kCancelled, "Content.Write: shutting down"};
  // The blob probably exists, and the attempt put it under our lease. If not, report the first
  // error.
  if (const auto labelled = Label(blob, labels); !labelled) return sent;
  return Done{};
}

Status BlobWriter::Send(const Descriptor& blob, const std::map<std::string, std::string>& labels,
                        const std::function<Status(const Take&)>& source) const {
  grpc::ClientContext context;
  calls_.In(name_space_).Prepare(context);
  context.AddMetadata("containerd-lease", lease_);
  const std::stop_callback cancel(calls_.stop(), [&context] { context.TryCancel(); });
  const auto stream = stub_.Write(&context);

  api::WriteContentRequest request;
  request.set_ref("imagesweep-restore-" + blob.digest);
  request.set_total(static_cast<std::int64_t>(blob.size));
  request.set_expected(blob.digest);
  std::int64_t offset = 0;
  // Waits for the answer to each request, so that the server never holds more than one.
  const auto exchange = [&]() -> Status {
    api::WriteContentResponse reply;
    if (stream->Write(request) && stream->Read(&reply)) return Done{};
    return Error{ErrorKind::kIncomplete, "the stream ended"};
  };
  auto sent = source([&](std::string_view piece) -> Status {
    request.set_action(api::WRITE);
    request.set_offset(offset);
    request.set_data(std::string(piece));
    offset += static_cast<std::int64_t>(piece.size());
    return exchange();
  });
  if (sent) {
    request.clear_data();
    request.set_action(api::COMMIT);
    request.set_offset(offset);
    for (const auto& [key, value] : labels) (*request.mutable_labels())[key] = value;
    sent = exchange();
  }
  if (sent)
    stream->WritesDone();
  else if (sent.error().kind != ErrorKind::kIncomplete)
    context.TryCancel();  // the error is on this side: the server waits for more
  // The server ends with one more answer, and Finish() waits until all answers are read.
  for (api::WriteContentResponse rest; stream->Read(&rest);) {
  }
  const grpc::Status status = stream->Finish();
  if (sent) return Done{};
  if (sent.error().kind != ErrorKind::kIncomplete) return sent;
  return calls_.In(name_space_).Explain("Content.Write " + blob.digest, status);
}

Status BlobWriter::Label(const Descriptor& blob,
                         const std::map<std::string, std::string>& labels) const {
  api::InfoRequest look;
  look.set_digest(blob.digest);
  const auto found =
      calls_.In(name_space_).UnaryCall("Content.Info", stub_, &api::Content::Stub::Info, look);
  if (!found) return found.error();
  if (labels.empty()) return Done{};
  api::UpdateRequest request;
  request.mutable_info()->set_digest(blob.digest);
  for (const auto& [key, value] : labels) {
    (*request.mutable_info()->mutable_labels())[key] = value;
    request.mutable_update_mask()->add_paths("labels." + key);  // the others stay
  }
  const auto updated =
      calls_.In(name_space_)
          .UnaryCall("Content.Update", stub_, &api::Content::Stub::Update, request);
  if (!updated) return updated.error();
  return Done{};
}

}  // namespace imagesweep::containerd
