#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/kube/client/http_transport.h"
#include "tests/support/fake_clock.h"

namespace imagesweep::kube {

// The events of one request.
struct Step {
  int status = 200;
  std::string body;                   // of a list, or of a refused watch
  std::vector<std::string> pieces;    // of a watch
  std::optional<Millis> retry_after;  // header
  std::optional<Error> error;         // instead of an answer; for a watch after its pieces, for a
                                      // list after its body when there is one
  Millis lasts{0};                    // the clock advances by this before the end
  std::function<void()> before_end;   // called while a watch is open
};

// A transport that answers from a script or a function on a fake clock, and records the requests.
// When the script ends, it requests a stop, so that Run() of a reflector returns.
class ScriptedHttp final : public HttpTransport {
 public:
  struct Asked {
    std::string path;
    bool watch = false;
    SteadyTime at;
    std::string method = "GET";
    std::string body = {};  // for a write
  };
  using Answer = std::function<std::optional<Step>(const Asked&)>;

  explicit ScriptedHttp(const FakeClock& clock) : clock_(clock) {}

  std::deque<Step> script;
  Answer answer;  // stopped when the script ends
  std::vector<Asked> asked;
  std::stop_source stop;

  Result<HttpResponse> Get(const std::string& path, Millis, const std::stop_token&) override {
    const auto step = Next({path, false, clock_.Steady()});
    if (!step) return Error{ErrorKind::kCancelled, "the script is over"};
    clock_.Advance(step->lasts);
    if (step->error) return Error(*step->error);
    return HttpResponse{step->status, step->retry_after, step->body};
  }

  Result<HttpResponse> Fetch(const std::string& path, Millis, const std::stop_token&,
                             const OnData& on_data) override {
    auto step = Next({path, false, clock_.Steady()});
    if (!step) return Error{ErrorKind::kCancelled, "the script is over"};
    clock_.Advance(step->lasts);
    if (step->error && step->body.empty()) return Error(*step->error);
    if (step->status == 200) on_data(std::exchange(step->body, {}));
    if (step->error) return Error(*step->error);
    return HttpResponse{step->status, step->retry_after, step->body};
  }

  Result<HttpResponse> Send(const HttpRequest& request, Millis, const std::stop_token&) override {
    const auto step = Next({request.path, false, clock_.Steady(), request.method, request.body});
    if (!step) return Error{ErrorKind::kCancelled, "the script is over"};
    clock_.Advance(step->lasts);
    if (step->error) return Error(*step->error);
    return HttpResponse{step->status, step->retry_after, step->body};
  }

  Result<HttpResponse> Stream(const std::string& path, Millis, const std::stop_token&,
                              const OnOpen& on_open, const OnData& on_data) override {
    const auto step = Next({path, true, clock_.Steady()});
    if (!step) return Error{ErrorKind::kCancelled, "the script is over"};
    if (step->status != 200) return HttpResponse{step->status, step->retry_after, step->body};
    if (step->error && step->pieces.empty() && step->lasts == Millis(0)) return Error(*step->error);
    on_open();
    for (const std::string& piece : step->pieces)
      if (!on_data(piece)) return HttpResponse{200, {}, {}};
    if (step->before_end) step->before_end();
    clock_.Advance(step->lasts);
    if (step->error) return Error(*step->error);
    return HttpResponse{200, {}, {}};
  }

  // The requests, each as "list RV", "list continue=…", or "watch RV".
  std::vector<std::string> Summary() const {
    std::vector<std::string> lines;
    for (const Asked& one : asked) lines.push_back(Line(one));
    return lines;
  }

  static std::string Parameter(const std::string& path, const std::string& name) {
    for (const char* mark : {"?", "&"}) {
      const auto at = path.find(mark + name + "=");
      if (at == std::string::npos) continue;
      const auto start = at + name.size() + 2;
      return path.substr(start, path.find('&', start) - start);
    }
    return {};
  }

 private:
  static std::string Line(const Asked& one) {
    const std::string version = Parameter(one.path, "resourceVersion");
    if (one.watch) return "watch " + version;
    const std::string limit = Parameter(one.path, "limit");
    const std::string token = Parameter(one.path, "continue");
    std::string line = "list " + (version.empty() ? "newest" : version);
    line += limit.empty() ? " unpaged" : "";
    return token.empty() ? line : line + " continue=" + token;
  }

  std::optional<Step> Next(Asked one) {
    if (script.empty() && answer) {
      auto step = answer(one);
      if (step) asked.push_back(std::move(one));
      if (!step) stop.request_stop();
      return step;
    }
    if (script.empty()) {
      stop.request_stop();
      return std::nullopt;
    }
    asked.push_back(std::move(one));
    Step step = std::move(script.front());
    script.pop_front();
    return step;
  }

  const FakeClock& clock_;
};

}  // namespace imagesweep::kube
