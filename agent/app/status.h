#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/app/health.h"
#include "agent/app/policy_store.h"
#include "agent/base/guarded.h"
#include "agent/http/server.h"
#include "agent/state/history.h"
#include "agent/web/view.h"

namespace imagesweep {

// What the status page and the JSON show.  Runs leave immutable snapshots here; a page takes the
// pointers and works on its own, so neither ever waits for the other.  Any thread, but where it
// says the run's.
class StatusBoard {
 public:
  // All three must outlive it.
  StatusBoard(const Clock& clock, const Health& health, const PolicyStore& policies,
              std::string version, std::string node, bool force_dry_run = false);

  // The run's thread.
  void SetRun(std::shared_ptr<const Report> report);
  // The run's thread.  Reads the list of runs; `details` also the documents of those it does not
  // know yet, which takes a moment.
  void SetHistory(History& history, bool details);

  // "/" and "/image", "/api/v1/…".  This must outlive the server that has them.
  std::map<std::string, HttpServer::Route> Routes(bool local_only) const;

 private:
  struct State {
    std::shared_ptr<const Report> report;   // the last that judged the images
    std::shared_ptr<const Report> refused;  // the last of all, when it was refused
    std::vector<web::RunRow> runs;
    std::string runs_problem;
  };
  web::StatusView View() const;
  HttpReply Page(const std::string& query) const;
  HttpReply OneImage(const std::string& query) const;
  HttpReply Json(std::string (*render)(const Report&)) const;
  HttpReply Runs() const;
  HttpReply PolicyInForce() const;
  HttpReply StatusOfAgent() const;

  const Clock& clock_;
  const Health& health_;
  const PolicyStore& policies_;
  const std::string version_, node_;
  const bool force_dry_run_;
  Guarded<State> state_;
  std::map<std::string, web::RunRow> known_;  // with details, by run id; the run's thread
};

}  // namespace imagesweep
