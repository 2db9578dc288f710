#pragma once

#include <memory>
#include <utility>

#include "agent/server/web/view.h"
#include "tests/support/report.h"

namespace imagesweep::web {

// A view of one report, an hour after it, with no other problem.
inline StatusView ViewOf(Report report) {
  StatusView view;
  view.now = report.finished + std::chrono::hours(1);
  view.version = "0.1.0";
  view.node = report.node;
  view.checks = {{"runtime", true, "containerd 1.6.20"}, {"policy", true, "file/policy.yaml"}};
  view.policy = PolicyView{report.policy, "Balanced", {}, false, false, "dryRun: false\n", {}};
  RunEntry entry;
  entry.run = report.run;
  entry.started = report.started;
  entry.dry_run = false;
  entry.result = "success";
  entry.headline = "Removed 1 image";
  view.runs = {{entry, report.before, report.after}};
  view.report = std::make_shared<const Report>(std::move(report));
  return view;
}

// The names that an attacker would choose.
inline const std::vector<std::string>& HostileTexts() {
  static const std::vector<std::string> kTexts{
      "<script>alert(1)</script>",
      "\"><img src=x onerror=alert(1)>",
      "' autofocus onfocus='alert(1)",
      "</style></script><b>",
      "&lt;b&gt;&amp;",
      "javascript:alert(1)",
      std::string("nul\0nul", 7),
      "\x1b[31mred\r\nSet-Cookie: a=b",
      "\xff\xfe\xc0\xaf not UTF-8",
      "turned \xe2\x80\xae sdrawkcab",
      "]]><!--",
      "${7*7}{{7*7}}<%=7*7%>",
  };
  return kTexts;
}

}  // namespace imagesweep::web
