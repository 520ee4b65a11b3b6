#pragma once
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

}  // namespace stash::test
