#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/daemon/health.h"
#include "agent/daemon/policy_store.h"
#include "agent/server/http/server.h"
#include "agent/server/web/view.h"
#include "agent/state/history.h"

namespace imagesweep {

// The data of the status page and the JSON API.  Runs store immutable snapshots; a page copies the
// pointers, so neither waits for the other.  Any thread, except where noted.
class StatusBoard {
 public:
  // All three must outlive the board.
  StatusBoard(const Clock& clock, const Health& health, const PolicyStore& policies,
              std::string version, std::string node, bool force_dry_run = false);

  // On the thread of the run.
  void SetRun(std::shared_ptr<const Report> report);
  // On the thread of the run.  Reads the list of runs.  With `details`, also reads the documents of
  // new runs, which is slower.
  void SetHistory(History& history, bool details);

  // "/", "/image", and "/api/v1/…".  The board must outlive the server of the routes.
  std::map<std::string, HttpServer::Route> Routes(bool local_only) const;

 private:
  struct Published {
    std::shared_ptr<const Report> report;   // the last run with verdicts
    std::shared_ptr<const Report> refused;  // the last run, if it was aborted
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
  Guarded<Published> state_;
  std::map<std::string, web::RunRow> known_;  // with details, by run ID; on the thread of the run
};

}  // namespace imagesweep
