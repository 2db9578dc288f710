#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/cri/connection.h"
#include "agent/cri/pull_secret.h"

namespace imagesweep::cri {

// Has the runtime pull images.  Any thread, several pulls at once.
class ImagePuller {
 public:
  // `timeout` is for one pull: a big image over a slow line.
  explicit ImagePuller(std::shared_ptr<Connection> connection,
                       Millis timeout = std::chrono::minutes(15), PullSecret secret = {});

  // "registry/app@sha256:…" or "registry/app:v1".  With each credential that is meant for it, one
  // after the other for as long as the registry denies; with none when there is none.  An error
  // says what a person can do about it, see ExplainPull.
  Status Pull(const std::string& reference, const std::stop_token& stop) const;

 private:
  Status PullWith(const std::string& reference, const Credential* credential,
                  const std::stop_token& stop) const;

  const std::shared_ptr<Connection> connection_;
  const Millis timeout_;
  const PullSecret secret_;
};

// What a runtime's error means: kDenied for the registry's 401 and 403, kNotFound for an image that
// it does not have, kIncomplete for its rate limit (429), kUnavailable for a registry that is not
// reached or has trouble of its own; any other is left as it is.  Runtimes give all of these as
// text alone, mostly under UNKNOWN, so this decides nothing but words.
// Source: containerd core/remotes/docker (resolver.go, fetcher.go, errcode.go), containers/image.
Error ExplainPull(const std::string& reference, Error error);

}  // namespace imagesweep::cri
