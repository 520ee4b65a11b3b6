#pragma once
#include <fmt/format.h>

#include "base/json.h"

namespace stash::test {

/// Deployment demo/stash-demo, as its author wrote it: one container, one volume at /source/data.
inline Json a_deployment() {
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", "stash-demo"}, {"namespace", "demo"}}},
          {"spec",
           {{"replicas", 1},
            {"selector", {{"matchLabels", {{"app", "stash-demo"}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", "stash-demo"}}}}},
              {"spec",
               {{"containers",
                 {{{"name", "busybox"},
                   {"image", "busybox"},
                   {"volumeMounts", {{{"name", "source-data"}, {"mountPath", "/source/data"}}}}}}},
                {"volumes", {{{"name", "source-data"}, {"emptyDir", Json::object()}}}}}}}}}}};
}

/// The same with enough of what real ones carry that a review of it has some 5 kB.
inline Json a_usual_workload() {
  Json workload = a_deployment();
  Json& container = workload["spec"]["template"]["spec"]["containers"][0];
  for (int i = 0; i < 24; ++i) {
    container["env"].push_back({{"name", fmt::format("SETTING_{}", i)}, {"value", "a value of ordinary length"}});
    workload["metadata"]["annotations"][fmt::format("example.com/note-{}", i)] =
        "what somebody wanted to remember here";
    container["args"].push_back(fmt::format("--option-{}=some-setting", i));
  }
  return workload;
}

}  // namespace stash::test
